import FisherLinearAlgebra
import FisherTestSupport

/// The kinds of symmetric matrices on which eigensolvers have failed.
enum SymmetricKind: String, CaseIterable {
  case random
  case zero
  case identity
  case diagonal
  /// Rank 1: all eigenvalues but one are 0.
  case ones
  /// Nearly singular: of half the rank.
  case deficient
  /// Elements over sixty binary orders, from large to small and from small to large.
  case graded, gradedUp
  /// Second differences: well separated, known in closed form.
  case differences
  /// Wilkinson's W⁺: pairs of eigenvalues that agree to many digits.
  case wilkinson
  /// Copies of W⁺ tied together by tiny elements.
  case glued
  /// Near overflow and near underflow.
  case huge, tiny

  func matrix<S: KernelScalar>(_ n: Int, _: S.Type, _ generator: inout Generator) -> Matrix<S> {
    let b = Matrix<Double>(rows: n, columns: max(1, n / 2)) { _, _ in generator.uniform() }
    let random = Matrix<Double>(rows: n, columns: n) { _, _ in generator.uniform() }
    return elements(n, random, gram: self == .deficient ? b.multiplied(by: b.transposed) : b)
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  private func elements<S: KernelScalar>(_ n: Int, _ random: Matrix<Double>, gram: Matrix<Double>) -> Matrix<
    S
  > {
    let largest = Int(S.greatestFiniteMagnitude.exponent)
    return Matrix(rows: n, columns: n) { r, c in
      let (i, j) = (max(r, c), min(r, c))
      switch self {
      case .random: return S(random[i, j])
      case .zero: return 0
      case .identity: return i == j ? 1 : 0
      case .diagonal: return i == j ? S(random[i, j]) : 0
      case .ones: return 1
      case .deficient: return S(gram[i, j])
      case .graded: return scaled(S(random[i, j]), -(30 * (i + j)) / max(n, 1))
      case .gradedUp: return scaled(S(random[i, j]), (30 * (i + j)) / max(n, 1) - 60)
      case .differences: return i == j ? 2 : i == j + 1 ? -1 : 0
      case .wilkinson: return i == j ? S((2 * i - n + 1).magnitude) / 2 : i == j + 1 ? 1 : 0
      case .glued:
        let k = i % 21
        if i == j { return S((k - 10).magnitude) }
        return i != j + 1 ? 0 : k == 0 ? S.ulpOfOne.squareRoot() : 1
      case .huge: return scaled(S(random[i, j]), largest - 12)
      case .tiny: return scaled(S(random[i, j]), 12 - largest)
      }
    }
  }

  @inline(__always)
  private func scaled<S: KernelScalar>(_ x: S, _ power: Int) -> S {
    x * S(sign: .plus, exponent: S.Exponent(power), significand: 1)
  }
}
