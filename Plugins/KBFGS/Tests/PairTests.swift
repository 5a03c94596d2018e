import FisherLinearAlgebra
import FisherPluginKBFGS
import FisherTestSupport
import OptimizerTestSupport
import Testing

@Suite struct CurvaturePairTests {
  private func times(_ H: Matrix<Double>, _ x: [Double]) -> [Double] {
    H.multiplied(by: Matrix(x, rows: x.count, columns: 1)).array
  }

  private func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }

  /// The numbers of an independent program.
  @Test func goldenDamping() {
    var pair = CurvaturePair(s: [1, -1, 0.5], y: [-0.2, 0.4, 0.1])
    pair.damp(0.2, 0.3.squareRoot()) { $0 }
    let expected = [0.0652631579, 0.0905263158, 0.1884210526]
    #expect(zip(pair.s, expected).allSatisfy { abs($0 - $1) < 1e-10 }, "\(pair.s)")
    #expect(pair.y == [-0.2, 0.4, 0.1])
  }

  /// Pairs of any curvature are damped to one between the bounds, those between them stay.
  @Test func dampingBoundsTheCurvature() {
    var damped = 0
    for seed in 0..<200 {
      let H = random(4, 4, UInt64(seed))
      let P = H.multiplied(by: H.transposed)
      let before = CurvaturePair(
        s: random(4, 1, UInt64(1000 + seed)).array, y: random(4, 1, UInt64(2000 + seed)).array)
      var pair = before
      pair.damp(0.2, 0.4) { times(P, $0) }
      #expect(pair.curvature >= 0.4 * dot(pair.s, pair.s) * (1 - 1e-12))
      let isFree =
        before.curvature >= 0.2 * dot(before.y, times(P, before.y))
        && before.curvature >= 0.4 * dot(before.s, before.s)
      #expect(isFree == (pair.s == before.s && pair.y == before.y))
      if !isFree { damped += 1 }
    }
    #expect(damped > 100 && damped < 200)
  }

  @Test func nothingIsNoPair() {
    var pair = CurvaturePair(s: [0, 0], y: [0, 0])
    pair.damp(0.2, 0.5) { $0 }
    #expect(pair.s == [0, 0] && pair.y == [0, 0] && !pair.isUsable(gradient: 1))
    #expect(!CurvaturePair(s: [.nan, 0], y: [1, 0]).isUsable(gradient: 0))
    #expect(!CurvaturePair(s: [1e200, 0], y: [1e200, 0]).isUsable(gradient: 0))
    // Curvature that is tiny beside the gradient.
    #expect(!CurvaturePair(s: [1, 0], y: [1, 0]).isUsable(gradient: 1e5))
    #expect(CurvaturePair(s: [1, 0], y: [1, 0]).isUsable(gradient: 1e3))
  }
}
