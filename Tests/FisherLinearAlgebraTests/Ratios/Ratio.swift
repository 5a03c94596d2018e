import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates

/// LAPACK's ratios, in the 1-norm.
///
/// Residuals are products in double precision. Where that is the precision under test, they add less than one unit to
/// a ratio: n·u·‖A‖·‖B‖ over n·ε·‖A‖·‖B‖. The product is proven against an oracle of its own.
enum Ratio {
  /// residual / (n·scale·ε); 0 if the residual is 0.
  static func quotient<S: KernelScalar>(_ residual: Double, _ n: Int, _ scale: Double, _: S.Type) -> Double {
    if residual == 0 { return 0 }
    let ratio = residual / (Double(max(n, 1)) * scale * Double(S.ulpOfOne))
    return ratio.isNaN ? .infinity : ratio
  }

  /// ‖A − L·Lᵀ‖ / (n·‖A‖·ε) with the factor in the lower triangle of `l`.
  static func cholesky<S: KernelScalar>(_ a: Matrix<S>, _ l: MatrixPointer<S>) -> Double {
    cholesky(double(a, unit: evenUnit(a)), double(l, .lower, unit: evenUnit(a).squareRoot()), S.self)
  }

  static func cholesky<S: KernelScalar>(_ a: Matrix<Double>, _ l: Matrix<Double>, _: S.Type) -> Double {
    quotient(residual(a, l, l.transposed), a.rows, norm(a), S.self)
  }

  /// ‖I − A·X‖ / (n·‖A‖·‖X‖·ε), X symmetric and given by its lower triangle, or given whole.
  static func inverse<S: KernelScalar>(
    _ a: Matrix<S>, _ x: MatrixPointer<S>, _ part: Part = .all
  ) -> Double {
    let unit = unit(a)
    return inverse(double(a, unit: unit), double(x, part, unit: 1 / unit), S.self)
  }

  static func inverse<S: KernelScalar>(_ a: Matrix<Double>, _ x: Matrix<Double>, _: S.Type) -> Double {
    quotient(residual(Matrix(identity: a.rows), a, x), a.rows, norm(a) * norm(x), S.self)
  }

  /// ‖VᵀV − I‖ / (n·ε) for V with n rows.
  static func orthogonality<S: KernelScalar>(_ v: Matrix<S>) -> Double {
    let v = double(v)
    return quotient(residual(Matrix(identity: v.columns), v.transposed, v), v.rows, 1, S.self)
  }

  /// ‖A·V − V·Λ‖ / (n·‖A‖·ε)
  static func eigen<S: KernelScalar>(_ a: Matrix<S>, _ v: Matrix<S>, _ values: [S]) -> Double {
    let unit = unit(a)
    let (a, v, values) = (double(a, unit: unit), double(v), values.map { Double($0) / unit })
    let right = Matrix<Double>(rows: v.rows, columns: v.columns) { i, j in v[i, j] * values[j] }
    return quotient(residual(right, a, v), a.rows, norm(a), S.self)
  }
}

/// The parts that ratios are made of.
extension Ratio {
  /// ‖A‖₁; infinite if there is a NaN.
  static func norm(_ a: Matrix<Double>) -> Double {
    let sums = columnNorms(a)
    return sums.contains(where: \.isNaN) ? .infinity : sums.max() ?? 0
  }

  /// ‖aⱼ‖₁ of every column.
  static func columnNorms(_ a: Matrix<Double>) -> [Double] {
    var sums = [Double](repeating: 0, count: a.columns)
    a.withPointer { a in
      sums.withUnsafeMutableBufferPointer { sums in
        for i in 0..<a.rows { for j in 0..<a.columns { sums[j] += a[i, j].magnitude } }
      }
    }
    return sums
  }

  /// ‖C − A·B‖₁
  static func residual(_ c: Matrix<Double>, _ a: Matrix<Double>, _ b: Matrix<Double>) -> Double {
    let sums = columnNorms(c, minus: a, b)
    return sums.contains(where: \.isNaN) ? .infinity : sums.max() ?? 0
  }

  /// The same for every column.
  static func columnNorms(_ c: Matrix<Double>, minus a: Matrix<Double>, _ b: Matrix<Double>) -> [Double] {
    var c = c
    gemm(alpha: -1, a, b, beta: 1, into: &c, threads: 1)
    return columnNorms(c)
  }

  static func difference(_ a: Matrix<Double>, _ b: Matrix<Double>) -> Matrix<Double> {
    Matrix(rows: a.rows, columns: a.columns) { i, j in a[i, j] - b[i, j] }
  }

  /// The power of two that brings the largest element near 1.
  @specialized(where S == Float)
  @specialized(where S == Double)
  static func unit<S: KernelScalar>(_ a: Matrix<S>) -> Double {
    var largest: S = 0
    a.withPointer { a in
      for i in 0..<a.rows { for j in 0..<a.columns { largest = max(largest, a[i, j].magnitude) } }
    }
    return largest > 0 && largest.isFinite
      ? Double(sign: .plus, exponent: Double(largest).exponent, significand: 1) : 1
  }

  /// The same with an even exponent, so that its root is a power of two.
  static func evenUnit<S: KernelScalar>(_ a: Matrix<S>) -> Double {
    Double(sign: .plus, exponent: unit(a).exponent & ~1, significand: 1)
  }

  /// What of a matrix counts: zeros stand for the rest, ones on the diagonal of a unit triangle.
  enum Part { case all, lower, unitLower, upper, symmetric }

  static func double<S: KernelScalar>(_ a: Matrix<S>, unit: Double = 1) -> Matrix<Double> {
    a.withPointer { double($0, unit: unit) }
  }

  /// The first rows and columns of a part of a matrix in double precision, divided by a power of two.
  @specialized(where S == Float)
  @specialized(where S == Double)
  static func double<S: KernelScalar>(
    _ a: MatrixPointer<S>, _ part: Part = .all, rows: Int? = nil, columns: Int? = nil, unit: Double = 1
  ) -> Matrix<Double> {
    var result = Matrix<Double>(rows: rows ?? a.rows, columns: columns ?? a.columns)
    let factor = 1 / unit
    result.withMutablePointer { result in
      for i in 0..<result.rows {
        for j in 0..<result.columns {
          switch part {
          case .all: result[i, j] = Double(a[i, j]) * factor
          case .lower: if j <= i { result[i, j] = Double(a[i, j]) * factor }
          case .unitLower: result[i, j] = j < i ? Double(a[i, j]) * factor : j == i ? 1 : 0
          case .upper: if j >= i { result[i, j] = Double(a[i, j]) * factor }
          case .symmetric: result[i, j] = Double(a[max(i, j), min(i, j)]) * factor
          }
        }
      }
    }
    return result
  }
}
