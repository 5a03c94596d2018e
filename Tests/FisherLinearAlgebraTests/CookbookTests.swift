import FisherLinearAlgebra
import Testing

/// Products as the cookbook forms them, and what they must give.
@Test func theCookbooksProducts() {
  let x = Matrix<Float>(rows: 128, columns: 784) { i, j in Float(i % 7) - Float(j % 5) }
  let w = Matrix<Float>(rows: 100, columns: 784) { i, j in i == j ? 1 : 0 }
  let b = Matrix<Float>(rows: 1, columns: 100)

  var y = Matrix<Float>(rows: 128, columns: 100)
  gemm(x, w.transposed, into: &y, bias: b, activation: .relu)

  var s = Matrix<Float>(rows: 784, columns: 784)
  syrk(alpha: 0.05 / 128, x.transposed, beta: 0.95, into: &s)

  #expect(y[6, 0] == 6 && y[0, 4] == 0 && y[6, 99] == 2)
  #expect(s[0, 1] == 0 && s[0, 0] > 0)
}
