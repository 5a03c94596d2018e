import FisherLinearAlgebra
import FisherTestSupport

/// LAPACK's ratios, in the 1-norm and in double precision, where products with several times the error of the reference
/// still count for less than one unit.
enum Ratio {
  static func norm(_ a: Matrix<Double>) -> Double {
    var largest = 0.0
    for j in 0..<a.columns {
      var sum = 0.0
      for i in 0..<a.rows { sum += a[i, j].magnitude }
      if sum.isNaN { return .infinity }
      largest = max(largest, sum)
    }
    return largest
  }

  /// The matrix in double precision, divided by `unit`.
  static func double<S: KernelScalar>(_ a: Matrix<S>, unit: Double = 1) -> Matrix<Double> {
    Matrix(rows: a.rows, columns: a.columns) { i, j in Double(a[i, j]) / unit }
  }

  /// The power of two that brings the largest element near 1.
  static func unit<S: KernelScalar>(_ a: Matrix<S>) -> Double {
    let largest = a.array.reduce(0) { max($0, Double($1).magnitude) }
    return largest > 0 && largest.isFinite
      ? Double(sign: .plus, exponent: largest.exponent, significand: 1) : 1
  }

  static func difference(_ a: Matrix<Double>, _ b: Matrix<Double>) -> Matrix<Double> {
    Matrix(rows: a.rows, columns: a.columns) { i, j in a[i, j] - b[i, j] }
  }

  /// residual / (n·scale·ε); 0 if both are 0.
  static func quotient<S: KernelScalar>(_ residual: Double, _ n: Int, _ scale: Double, _: S.Type) -> Double {
    if residual == 0 { return 0 }
    let ratio = residual / (Double(max(n, 1)) * scale * Double(S.ulpOfOne))
    return ratio.isNaN ? .infinity : ratio
  }

  /// ‖VᵀV − I‖ / (n·ε) for V with n rows.
  static func orthogonality<S: KernelScalar>(_ v: Matrix<S>) -> Double {
    let v = double(v)
    let residual = difference(v.transposed.multiplied(by: v), Matrix(identity: v.columns))
    return quotient(norm(residual), v.rows, 1, S.self)
  }

  /// ‖A·V − V·Λ‖ / (n·‖A‖·ε)
  static func eigen<S: KernelScalar>(_ a: Matrix<S>, _ v: Matrix<S>, _ values: [S]) -> Double {
    let unit = unit(a)
    let (a, v) = (double(a, unit: unit), double(v))
    let right = Matrix<Double>(rows: v.rows, columns: v.columns) { i, j in
      v[i, j] * (Double(values[j]) / unit)
    }
    return quotient(norm(difference(a.multiplied(by: v), right)), a.rows, norm(a), S.self)
  }
}
