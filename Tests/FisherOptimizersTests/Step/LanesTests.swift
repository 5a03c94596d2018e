import FisherLinearAlgebra
import FisherOptimizers
import Testing

/// What update rules compute with, on every special value.
@Suite struct LanesTests {
  private func check<S: KernelScalar>(_: S.Type) {
    let special: [S] = [
      0, -0.0, 1, -1, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
      .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 2.25, -3,
    ]
    func inAllLanes(_ x: S, _ others: S) -> [Lanes<S>] {
      (0..<8).map { lane in
        var v = Lanes<S>(repeating: others)
        v[lane] = x
        return v
      }
    }
    for x in special {
      for v in inAllLanes(x, 4) {
        let (signs, roots) = (v.sign, v.squareRoot())
        for lane in 0..<8 {
          #expect(signs[lane] == (v[lane] > 0 ? 1 : v[lane] < 0 ? -1 : 0), "sign of \(v[lane])")
          let root = v[lane].squareRoot()
          #expect(roots[lane] == root || (roots[lane].isNaN && root.isNaN), "root of \(v[lane])")
        }
      }
      for y in special {
        for (a, b) in zip(inAllLanes(x, 1), inAllLanes(y, 2)) {
          let larger = Lanes.maximum(a, b)
          for lane in 0..<8 {
            let expected = b[lane] > a[lane] ? b[lane] : a[lane]
            #expect(
              larger[lane] == expected || (larger[lane].isNaN && expected.isNaN), "\(a[lane]), \(b[lane])")
          }
        }
      }
    }
  }

  @Test func specialValues() {
    check(Float.self)
    check(Double.self)
  }
}
