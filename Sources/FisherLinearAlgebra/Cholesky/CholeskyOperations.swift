import FisherRuntime
public import KernelTemplates

/// Target ← U with A + λI = Uᵀ·U, or L with A + λI = L·Lᵀ, for a symmetric positive definite n × n matrix A.
///
/// λ = `absolute` + `relative` · mean of A's diagonal. Only `triangle` of the source is read, and of the target only
/// the same triangle is written. The source may be the target; otherwise it may not overlap it. A source in the other
/// triangle is its own transposed view.
public struct Potrf<S: KernelScalar> {
  public var source: MatrixPointer<S>
  public var target: MutableMatrixPointer<S>
  public var triangle: Triangle
  public var absolute: S
  public var relative: S
  public var correction: PivotCorrection<S>?

  public init(
    source: MatrixPointer<S>, target: MutableMatrixPointer<S>, triangle: Triangle, absolute: S = 0,
    relative: S = 0, correction: PivotCorrection<S>? = nil
  ) {
    self.source = source
    self.target = target
    self.triangle = triangle
    self.absolute = absolute
    self.relative = relative
    self.correction = correction
  }

  /// n
  @inline(__always)
  var order: Int { source.rows }

  /// The same call for upper triangles: Lᵀ is U.
  @inline(__always)
  var canonical: Potrf {
    if triangle == .upper { return self }
    var call = self
    (call.source, call.target, call.triangle) = (source.transposed, target.transposed, .upper)
    return call
  }

  /// λ
  @inline(__always)
  var damping: S { Damping<S>.value(absolute, relative, order: order) { source[$0, $0] } }

  /// What a pivot is measured against.
  @inline(__always)
  var rule: PivotRule<S> {
    PivotRule(
      floor: correction?.threshold ?? 0, replaces: correction != nil,
      replacement: correction?.replacement ?? 1)
  }
}

/// Target ← (Uᵀ·U)⁻¹ or (L·Lᵀ)⁻¹, from `triangle` of the factor to the same triangle of the target.
///
/// The factor may be the target; otherwise it may not overlap it. With `mirror`, the other triangle of the target is
/// overwritten with the transposed copy.
public struct Potri<S: KernelScalar> {
  public var factor: MatrixPointer<S>
  public var target: MutableMatrixPointer<S>
  public var triangle: Triangle
  public var mirror: Bool

  public init(
    factor: MatrixPointer<S>, target: MutableMatrixPointer<S>, triangle: Triangle, mirror: Bool = false
  ) {
    self.factor = factor
    self.target = target
    self.triangle = triangle
    self.mirror = mirror
  }

  /// n
  @inline(__always)
  var order: Int { factor.rows }

  /// The same call for upper triangles.
  @inline(__always)
  var canonical: Potri {
    if triangle == .upper { return self }
    var call = self
    (call.factor, call.target, call.triangle) = (factor.transposed, target.transposed, .upper)
    return call
  }
}

/// Pivots that are not above a threshold are replaced instead of ending the factorization: the factor is then that of
/// a matrix nearby, with something added to those elements of the diagonal.
public struct PivotCorrection<S: KernelScalar>: Sendable, Equatable {
  /// A pivot at or below this is replaced, at least 0.
  public let threshold: S
  /// What replaces it, above 0.
  public let replacement: S

  /// Traps unless `threshold` ≥ 0 and `replacement` > 0.
  public init(threshold: S, replacement: S) {
    require(
      threshold >= 0 && replacement > 0,
      "PivotCorrection: threshold \(threshold) must be at least 0, replacement \(replacement) above 0")
    self.threshold = threshold
    self.replacement = replacement
  }
}

/// How a factorization went.
public struct PivotOutcome: Sendable, Equatable {
  /// The index of the first pivot that is not above 0 (NaN included) and was not replaced, from 0; nil if there is none.
  public let firstBadPivot: Int?
  /// How many pivots were replaced.
  public let corrections: Int

  public init(firstBadPivot: Int? = nil, corrections: Int = 0) {
    self.firstBadPivot = firstBadPivot
    self.corrections = corrections
  }

  /// The number of replaced pivots; throws the bad one if there is one.
  func counted() throws(FactorizationError) -> Int {
    if let firstBadPivot { throw .notPositiveDefinite(pivot: firstBadPivot) }
    return corrections
  }

  init<S>(_ rule: PivotRule<S>) {
    self.init(firstBadPivot: rule.firstBad < 0 ? nil : rule.firstBad, corrections: rule.replaced)
  }
}

/// Factors and inverses of symmetric positive definite matrices.
///
/// After a bad pivot the target's triangle holds numbers without meaning; a source that is not the target is intact.
public protocol CholeskyOperations {
  /// The Cholesky factor; see ``Potrf``.
  func potrf<S: KernelScalar>(_ call: Potrf<S>, threads: Int) -> PivotOutcome

  /// The inverse from the factor; see ``Potri``.
  func potri<S: KernelScalar>(_ call: Potri<S>, threads: Int)

  /// Target ← (A + λI)⁻¹, one triangle, both with `mirror`: potrf and potri in one.
  func invertPositiveDefinite<S: KernelScalar>(_ call: Potrf<S>, mirror: Bool, threads: Int) -> PivotOutcome

  /// The factor of A ± X·Xᵀ from that of A; see ``FactorUpdate``.
  ///
  /// - Returns: nil, or the first pivot of A − X·Xᵀ that is not above 0.
  func updateFactor<S: KernelScalar>(_ call: FactorUpdate<S>) -> Int?
}
