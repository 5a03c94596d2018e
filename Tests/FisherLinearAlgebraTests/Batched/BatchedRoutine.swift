import FisherLinearAlgebra
import FisherTestSupport

/// The batched routines that make a matrix from a matrix: one set of tests for all.
enum BatchedRoutine: String, CaseIterable, Sendable {
  case positiveDefiniteInverse, cholesky, generalInverse

  /// Reads only the lower triangles.
  var isSymmetric: Bool { self != .generalInverse }

  func run<S: KernelScalar>(_ call: BatchedMatrices<S>, on backend: any Backend, threads: Int) {
    switch self {
    case .positiveDefiniteInverse: backend.invertPositiveDefinite(call, threads: threads)
    case .cholesky: backend.factorCholesky(call, threads: threads)
    case .generalInverse: backend.invertGeneral(call, threads: threads)
    }
  }

  /// A matrix for this routine that is far from singular.
  func matrix<S: KernelScalar>(_ n: Int, _: S.Type, _ generator: inout Generator) -> Matrix<S> {
    isSymmetric
      ? DefiniteKind.random.matrix(n, S.self, &generator)
      : BatchedGeneralKind.random.matrix(n, S.self, &generator)
  }

  /// Orders around the blocks of the kernels.
  var orders: [Int] {
    switch self {
    case .positiveDefiniteInverse: Array(1...10) + [16, 17, 33, 65]
    case .cholesky: Array(1...9) + [17, 33]
    case .generalInverse: [1, 2, 3, 5, 8, 9, 16, 17]
    }
  }
}

/// Kinds of matrices without symmetry.
enum BatchedGeneralKind: String, CaseIterable {
  /// Uniform, with a diagonal that is no larger than the rest.
  case random
  /// Zeros on the diagonal: every pivot is found elsewhere.
  case hollow
  /// Rows over twenty binary orders.
  case graded
  /// Near overflow and near underflow.
  case huge, tiny
  /// A permutation of the rows of a triangular matrix.
  case permutedTriangle

  @specialized(where S == Float)
  @specialized(where S == Double)
  func matrix<S: KernelScalar>(_ n: Int, _: S.Type, _ generator: inout Generator) -> Matrix<S> {
    var places = Array(0..<n)
    if self == .permutedTriangle { places.shuffle(using: &generator) }
    let largest = Int(S.greatestFiniteMagnitude.exponent)
    return Matrix(rows: n, columns: n) { r, c in
      let x: Double = generator.uniform()
      switch self {
      case .random: return S(x)
      case .hollow: return r == c && n > 1 ? 0 : S(x)
      case .graded: return S(x) * S(sign: .plus, exponent: S.Exponent(20 * r / n - 10), significand: 1)
      case .huge: return S(x) * S(sign: .plus, exponent: S.Exponent(largest - 16), significand: 1)
      case .tiny: return S(x) * S(sign: .plus, exponent: S.Exponent(16 - largest), significand: 1)
      case .permutedTriangle: return c < places[r] ? S(x) : c == places[r] ? 1 : 0
      }
    }
  }
}
