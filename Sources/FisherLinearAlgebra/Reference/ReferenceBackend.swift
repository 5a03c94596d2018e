/// Plain loops that follow the definitions: the oracle of every other backend, and the place to read what a
/// routine computes.
///
/// Sums run in index order and in `Double`; a result is rounded to the scalar once, when it is stored. It uses
/// one thread whatever the budget, allocates nothing, and is never fast.
///
/// What "not read" means in the routines: α = 0 leaves A and B alone, β = 0 leaves the old C alone, so that
/// NaN or uninitialised memory there has no effect. Everything that is read propagates NaN and infinity as
/// the formula does; no zero is skipped, because 0·∞ is NaN.
public struct ReferenceBackend: Backend {
  public init() {}

  public var name: String { "reference" }
}

extension ReferenceBackend {
  /// α·sum + β·old, the last step of every product. `old` is evaluated only if β ≠ 0.
  @inline(__always)
  static func combine<S: KernelScalar>(
    alpha: S, sum: Double?, beta: S, old: @autoclosure () -> S
  ) -> Double {
    var value = 0.0
    if let sum { value = Double(alpha) * sum }
    if beta != 0 { value += Double(beta) * Double(old()) }
    return value
  }

  /// Σₚ term(p), p = 0 ..< count, or nil if the product does not take part at all (α = 0 or nothing to add).
  @inline(__always)
  static func sum<S: KernelScalar>(alpha: S, count: Int, _ term: (Int) -> Double) -> Double? {
    guard alpha != 0, count > 0 else { return nil }
    var sum = 0.0
    for p in 0..<count { sum += term(p) }
    return sum
  }
}
