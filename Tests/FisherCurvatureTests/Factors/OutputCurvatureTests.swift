import FisherCurvature
import FisherLinearAlgebra
import FisherTestSupport
import Testing

@Suite struct OutputCurvatureTests {
  /// Probabilities of n samples, some of them 0 and 1.
  private func probabilities(_ n: Int, _ classes: Int, _ generator: inout Generator) -> Matrix<Double> {
    var p = Matrix<Double>(rows: n, columns: classes) { _, _ in abs(generator.uniform() as Double) }
    for i in 0..<n {
      if i % 3 == 1 { p[i, i % classes] = 0 }
      if i % 4 == 3 { for c in 0..<classes { p[i, c] = c == 0 ? 1 : 0 } }
      let sum = p.row(i).array.reduce(0, +)
      for c in 0..<classes { p[i, c] = sum > 0 ? p[i, c] / sum : 1 / Double(classes) }
    }
    return p
  }

  /// Σᵣ mᵣ·mᵣᵀ = diag(p) − p·pᵀ, with one factor less than classes.
  @Test(arguments: [1, 2, 3, 10])
  func softmaxFactorsMultiplyToTheHessian(classes: Int) {
    for seed in Seed.cases(3) {
      var generator = Generator(seed: seed)
      let p = probabilities(9, classes, &generator)
      let curvature = OutputCurvature.softmax(p, gradients: Matrix(rows: 9, columns: classes))
      #expect(curvature.factors.count == classes - 1)
      for n in 0..<9 {
        for i in 0..<classes {
          for j in 0..<classes {
            let H = (i == j ? p[n, i] : 0) - p[n, i] * p[n, j]
            let found = curvature.factors.reduce(0) { $0 + $1[n, i] * $1[n, j] }
            #expect(abs(found - H) <= 8 * Double(classes) * .ulpOfOne, "FISHER_SEED=\(seed) \(n) \(i) \(j)")
          }
        }
      }
    }
  }

  /// Σᵣ uᵣ·mᵣ is the output gradient, for softmax and for independent outputs.
  @Test func coefficientsGiveTheGradient() {
    for seed in Seed.cases(3) {
      var generator = Generator(seed: seed)
      let p = Matrix<Double>(rows: 7, columns: 4) { _, _ in 0.1 + abs(generator.uniform() as Double) }
      let rows = (0..<7).map { p.row($0).array.reduce(0, +) }
      let q = Matrix<Double>(rows: 7, columns: 4) { p[$0, $1] / rows[$0] }
      let r = Matrix<Double>(rows: 7, columns: 4) { q[$0, $1] - ($1 == $0 % 4 ? 1 : 0) }
      for curvature in [OutputCurvature.softmax(q, gradients: r), .diagonal(p, gradients: r)] {
        for n in 0..<7 {
          for c in 0..<4 {
            let found = curvature.factors.indices.reduce(0.0) {
              $0 + curvature.coefficients[n, $1] * curvature.factors[$1][n, c]
            }
            #expect(abs(found - r[n, c]) <= 100 * .ulpOfOne, "FISHER_SEED=\(seed) \(n) \(c)")
          }
        }
      }
    }
  }
}
