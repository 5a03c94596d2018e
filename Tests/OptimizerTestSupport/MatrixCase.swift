public import FisherLinearAlgebra
public import FisherOptimizers
import FisherTestSupport
public import FisherVerification

/// A dense layer's weight.
public func weight(_ rows: Int, _ columns: Int, _ name: String = "w") -> ParameterInfo {
  ParameterInfo(name: name, shape: [rows, columns], role: .linearWeight)
}

/// Numbers in [−1, 1).
public func random(_ rows: Int, _ columns: Int, _ seed: UInt64) -> Matrix<Double> {
  var generator = Generator(seed: seed)
  return Matrix(rows: rows, columns: columns) { _, _ in Double.random(in: -1..<1, using: &generator) }
}

/// An orthogonal matrix without any symmetry.
public func rotation(_ n: Int, _ seed: UInt64) -> Matrix<Double> { QR(random(n, n, seed)).q() }

/// The singular values, the largest first.
public func singularValues(_ a: Matrix<Double>) throws -> [Double] {
  let wide = a.rows <= a.columns ? a : a.transposed
  let gram = wide.multiplied(by: wide.transposed)
  return try SymmetricEigen(gram).values.reversed().map { max(0, $0).squareRoot() }
}

/// max |A − B|
public func distance(_ a: Matrix<Double>, _ b: Matrix<Double>) -> Double {
  zip(a.array, b.array).map { abs($0 - $1) }.max() ?? 0
}

/// What the steps subtract from weights of zero, one for each gradient, if α is 1 and γ 0.
public func steps<S: KernelScalar>(
  _ optimizer: any Optimizer, _ parameter: ParameterInfo, _ gradients: [Matrix<S>]
) throws -> [Matrix<S>] {
  var driver = try OptimizerDriver<S>(optimizer, parameters: [parameter], threads: 1)
  return try gradients.map { gradient in
    var values = [Matrix<S>(rows: parameter.rows, columns: parameter.columns)]
    var gradients = [gradient.reshaped(rows: parameter.rows, columns: parameter.columns)]
    _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<S>())
    return Matrix(values[0].array.map(-), rows: parameter.rows, columns: parameter.columns)
  }
}

/// Three gradients of a matrix of 2×3, of which independent scripts have printed what methods make.
public let goldenMatrixTrace = Trace(
  parameters: [weight(2, 3)], values: [[1, 2, -1, 0.5, -0.5, 2]],
  gradients: [
    [[0.1, -0.2, 0.3, 0.4, 0.5, -0.6]], [[-0.3, 0.1, 0.2, 0.2, -0.1, 0.4]],
    [[0.2, 0.3, -0.1, -0.4, 0.1, 0.2]],
  ])
