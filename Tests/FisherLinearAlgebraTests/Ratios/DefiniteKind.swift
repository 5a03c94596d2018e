import FisherLinearAlgebra
import FisherTestSupport

/// The kinds of symmetric positive definite matrices that LAPACK's testers use.
enum DefiniteKind: String, CaseIterable {
  /// Condition of a few units.
  case random
  case diagonal
  /// Diagonal elements over twenty binary orders.
  case graded
  /// As nearly singular as can be without a pivot being lost to rounding.
  case nearlySingular
  /// Near overflow, so that products of two elements overflow.
  case huge
  /// Near underflow.
  case tiny

  /// A matrix of order n made of random numbers in [−1, 1).
  func matrix<S: KernelScalar>(_ n: Int, _: S.Type, _ generator: inout Generator) -> Matrix<S> {
    let rank = self == .nearlySingular ? max(1, n / 2) : n
    let b = Matrix<Double>(rows: n, columns: rank) { _, _ in generator.uniform() }
    var gram = Matrix<Double>(rows: n, columns: n)
    gemm(alpha: 1 / Double(max(n, 1)), b, b.transposed, into: &gram, threads: 1)
    return rounded(gram)
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  private func rounded<S: KernelScalar>(_ gram: Matrix<Double>) -> Matrix<S> {
    let n = gram.rows
    let shift = self == .nearlySingular ? 256 * Double(n) * S.unitRoundoff : 1
    var a = Matrix<S>(rows: n, columns: n)
    for i in 0..<n {
      for j in 0...i {
        let sum = i == j ? gram[i, i] + shift : self == .diagonal ? 0 : gram[i, j]
        let element = S(sum) * S(sign: .plus, exponent: S.Exponent(power(i, j, n, S.self)), significand: 1)
        a[i, j] = element
        a[j, i] = element
      }
    }
    return a
  }

  /// The binary order of element (i, j).
  @inline(__always)
  private func power<S: KernelScalar>(_ i: Int, _ j: Int, _ n: Int, _: S.Type) -> Int {
    switch self {
    case .graded: (20 * i / n) - 10 + (20 * j / n) - 10
    case .huge: Int(S.greatestFiniteMagnitude.exponent) - 16
    case .tiny: 16 - Int(S.greatestFiniteMagnitude.exponent)
    default: 0
    }
  }
}
