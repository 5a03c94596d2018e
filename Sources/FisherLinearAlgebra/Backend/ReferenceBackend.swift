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
  /// α·Σₚ term(p) + β·old, p = 0 ..< count: the formula of every product.
  ///
  /// The terms are evaluated only if α ≠ 0 and the old value only if β ≠ 0. An empty sum adds nothing, even
  /// if α is infinite.
  @specialized(where S == Float)
  @specialized(where S == Double)
  static func combine<S: KernelScalar>(
    _ alpha: S, sum count: Int, _ term: (Int) -> Double, _ beta: S, _ old: @autoclosure () -> S
  ) -> Double {
    var value = 0.0
    if alpha != 0, count > 0 {
      for p in 0..<count { value += term(p) }
      value *= Double(alpha)
    }
    if beta != 0 { value += Double(beta) * Double(old()) }
    return value
  }
}
