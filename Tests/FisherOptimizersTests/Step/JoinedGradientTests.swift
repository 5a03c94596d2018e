import FisherLinearAlgebra
import FisherOptimizers
import FisherTestSupport
import Testing

/// The gradient [D b] of a layer, and its product with itself.
@Suite struct JoinedGradientTests {
  private func random(_ rows: Int, _ columns: Int, _ seed: UInt64) -> Matrix<Double> {
    var generator = Generator(seed: Seed.first &+ seed)
    return Matrix(rows: rows, columns: columns) { _, _ in generator.uniform() }
  }

  /// G ← β·G + α·[D b]ᵀ·[D b] below the diagonal, and nothing above it.
  @Test(arguments: [(5, 3), (70, 40), (1, 1), (33, 9)], [true, false])
  func gram(shape: (rows: Int, width: Int), hasBias: Bool) {
    let (rows, width) = shape
    let (D, b) = (random(rows, width, 1), hasBias ? random(1, rows, 2) : nil)
    let gradient = JoinedGradient(D, b, threads: 2)
    let V = gradient.joined
    let order = width + (hasBias ? 1 : 0)
    #expect(V == Matrix(rows: rows, columns: order) { $1 < width ? D[$0, $1] : b![0, $0] })
    let squares = V.array.reduce(0) { $0 + $1 * $1 }
    #expect(abs(gradient.squaredNorm - squares) <= 1e-14 * Double(V.count) * squares)
    let product = V.transposed.multiplied(by: V)
    let start = random(order, order, 3)
    for (α, β) in [(0.7, 0.9), (2, 1), (1, 0)] {
      var G = start
      if β == 0 { G[order - 1, 0] = .nan }
      let above = G
      gradient.addGram(to: &G, alpha: α, beta: β, on: NativeBackend(), threads: 2)
      for i in 0..<order {
        for j in 0...i {
          let expected = α * product[i, j] + (β == 0 ? 0 : β * start[i, j])
          #expect(abs(G[i, j] - expected) <= 1e-14 * Double(rows + 2))
        }
        for j in i + 1..<max(i + 1, order) { #expect(G[i, j] == above[i, j]) }
      }
    }
  }

  /// What is promised to stay finite does; numbers far inside of the range are promised it.
  @Test func staysFinite() {
    var promised = 0
    for seed in Seed.cases(200) {
      var generator = Generator(seed: seed)
      func large(_ rows: Int, _ columns: Int) -> Matrix<Float> {
        let scale = Float(sign: .plus, exponent: Int.random(in: 54...64, using: &generator), significand: 1)
        return Matrix(rows: rows, columns: columns) { _, _ in scale * (generator.uniform() as Float) }
      }
      let (D, b) = (large(6, 4), large(1, 6))
      let gradient = JoinedGradient(D, b, threads: 1)
      var G = Matrix<Float>(rows: 5, columns: 5)
      JoinedGradient(large(6, 4), large(1, 6), threads: 1).addGram(
        to: &G, alpha: 1, beta: 0, on: NativeBackend(), threads: 1)
      if !G.isFinite || !gradient.gramStaysFinite(G, alpha: 0.1, beta: 0.9) { continue }
      promised += 1
      gradient.addGram(to: &G, alpha: 0.1, beta: 0.9, on: NativeBackend(), threads: 1)
      #expect(G.isFinite, "FISHER_SEED=\(seed)")
    }
    #expect(promised > 10 && promised < 190)
    let small = JoinedGradient(random(3, 2, 1), random(1, 3, 2), threads: 1)
    #expect(small.gramStaysFinite(Matrix(identity: 3), alpha: 1, beta: 0.9))
    #expect(!small.gramStaysFinite(Matrix(rows: 3, columns: 3) { _, _ in 0x1p1023 }, alpha: 1, beta: 1))
  }

  @Test(.ownThread) func wrongShapesStop() async {
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var G = Matrix<Float>(rows: 3, columns: 3)
        JoinedGradient(Matrix<Float>(rows: 2, columns: 3), Matrix(rows: 1, columns: 2), threads: 1).addGram(
          to: &G, alpha: 1, beta: 1, on: NativeBackend(), threads: 1)
      }, "[D b] is 2×4", "G is 3×3")
  }
}
