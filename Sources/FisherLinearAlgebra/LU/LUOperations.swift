public import KernelTemplates

/// P·A = L·U: the factors of an m × n matrix in its place, L unit lower triangular below the diagonal, U on and above it.
///
/// `pivots` holds min(m, n) rows: row j was exchanged with row `pivots[j]` ≥ j, in the order j = 0, 1, ….
public struct LUFactors<S: KernelScalar> {
  public var a: MutableMatrixPointer<S>
  public var pivots: UnsafeMutablePointer<Int>

  public init(a: MutableMatrixPointer<S>, pivots: UnsafeMutablePointer<Int>) {
    self.a = a
    self.pivots = pivots
  }

  /// min(m, n)
  @inline(__always)
  var count: Int { min(a.rows, a.columns) }
}

/// Gaussian elimination with partial pivoting, and what follows from it.
public protocol LUOperations {
  /// Replaces A by its factors. The whole matrix is factorized, whatever the pivots.
  ///
  /// - Returns: the first j with uⱼⱼ 0 or NaN; nil if there is none.
  func factorLU<S: KernelScalar>(_ factors: LUFactors<S>, threads: Int) -> Int?

  /// B ← A⁻¹·B, or A⁻ᵀ·B, with the factors of a square A. A zero on the diagonal of U divides as in the definition.
  func solveLU<S: KernelScalar>(
    _ factors: LUFactors<S>, transposed: Bool, _ b: MutableMatrixPointer<S>, threads: Int)

  /// X ← A⁻¹ with the factors of a square A.
  func invertLU<S: KernelScalar>(_ factors: LUFactors<S>, into x: MutableMatrixPointer<S>, threads: Int)

  /// 1/(‖A‖₁·‖A⁻¹‖₁) with the factors of a square A and ‖A‖₁, as far as it can be estimated without the inverse;
  /// 0 for a singular A.
  func reciprocalConditionLU<S: KernelScalar>(_ factors: LUFactors<S>, norm: S, threads: Int) -> S
}
