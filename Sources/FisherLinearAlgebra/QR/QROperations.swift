public import KernelTemplates

/// A = Q·R: the factors of an m × n matrix in its place, k = min(m, n).
///
/// R on and above the diagonal. Q = H₀·H₁ ⋯ H₍k₋₁₎, Hⱼ = I − τⱼ·vⱼ·vⱼᵀ, with vⱼ below the diagonal of column j, a one on it and
/// zeros above.
public struct QRFactors<S: KernelScalar> {
  public var a: MutableMatrixPointer<S>
  /// k numbers.
  public var tau: UnsafeMutablePointer<S>

  public init(a: MutableMatrixPointer<S>, tau: UnsafeMutablePointer<S>) {
    self.a = a
    self.tau = tau
  }

  /// min(m, n)
  @inline(__always)
  var count: Int { min(a.rows, a.columns) }
}

/// Householder's QR factorization.
public protocol QROperations {
  /// Replaces A by its factors.
  func factorQR<S: KernelScalar>(_ factors: QRFactors<S>, threads: Int)

  /// Replaces A by the factors of A·P, the columns exchanged so that |r₀₀| ≥ |r₁₁| ≥ …: column j of A·P is column
  /// `permutation[j]` of A, n numbers in all.
  func factorPivotedQR<S: KernelScalar>(
    _ factors: QRFactors<S>, permutation: UnsafeMutablePointer<Int>, threads: Int)

  /// C ← Q·C, or Qᵀ·C, with C m × r. `isIdentity`: C is known to be the first columns of the identity.
  func applyQ<S: KernelScalar>(
    _ factors: QRFactors<S>, transposed: Bool, to c: MutableMatrixPointer<S>, isIdentity: Bool, threads: Int)
}

extension QROperations {
  /// By the definition: what a backend without a routine of its own does.
  public func factorQR<S: KernelScalar>(_ factors: QRFactors<S>, threads: Int) {
    ReferenceBackend().factorQR(factors, threads: threads)
  }

  public func factorPivotedQR<S: KernelScalar>(
    _ factors: QRFactors<S>, permutation: UnsafeMutablePointer<Int>, threads: Int
  ) { ReferenceBackend().factorPivotedQR(factors, permutation: permutation, threads: threads) }

  public func applyQ<S: KernelScalar>(
    _ factors: QRFactors<S>, transposed: Bool, to c: MutableMatrixPointer<S>, isIdentity: Bool, threads: Int
  ) {
    ReferenceBackend().applyQ(
      factors, transposed: transposed, to: c, isIdentity: isIdentity, threads: threads)
  }
}
