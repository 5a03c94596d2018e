/// Why a matrix has no factorization, or a factorization no solution: the one error of the whole family.
public enum FactorizationError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The pivot, from 0, is not above 0, NaN included: the leading block of order `pivot` is positive definite, and that
  /// with one more row is not. Of an inverse root by eigenvalues: that eigenvalue, in ascending order.
  case notPositiveDefinite(pivot: Int)
  /// The pivot, from 0, is 0 or NaN; in a QR factorization, that column depends on those before it to working precision.
  case singular(pivot: Int)
  /// An element is NaN or infinite, or the numbers that belong to the result leave the range of the type.
  case notFinite
  /// An iteration did not come to an end.
  case notConverged

  /// The pivot, where the error has one.
  public var pivot: Int? {
    switch self {
    case .notPositiveDefinite(let pivot), .singular(let pivot): pivot
    case .notFinite, .notConverged: nil
    }
  }

  public var description: String {
    switch self {
    case .notPositiveDefinite(let pivot): "not positive definite: pivot \(pivot) is not above 0"
    case .singular(let pivot): "singular to working precision: pivot \(pivot) is 0, negligible or NaN"
    case .notFinite: "not finite: an element, or a result, is NaN or infinite"
    case .notConverged: "not converged: an iteration did not come to an end"
    }
  }
}
