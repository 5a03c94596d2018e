import FisherRuntime
import KernelTemplates

// ‖B‖₁ of a matrix that can only be multiplied by vectors, here B = A⁻¹: the maximum of the convex function ‖B·x‖₁ over
// ‖x‖₁ ≤ 1 is at a unit vector, and is climbed to from the middle along subgradients. A lower bound, nearly always within a
// factor of 3, usually exact. Source: N. J. Higham, ACM Trans. Math. Software 14 (1988), 381–396, algorithm 2.4 with the
// safeguards of its section 3.

/// Higham's estimate of a 1-norm.
package enum InverseNormEstimate<S: KernelScalar> {
  /// - Parameter multiply: x ← B·x, or Bᵀ·x if asked for.
  package static func estimate(
    order n: Int, _ multiply: (_ x: MutableMatrixPointer<S>, _ transposed: Bool) -> Void
  ) -> S {
    ThreadContext.current.withScratch(2 * n, of: S.self) { scratch in
      let (x, signs) = (MutableVectorPointer(scratch, count: n), scratch + n)
      for i in 0..<n { x[i] = 1 / S(n) }
      multiply(x.column, false)
      var best = norm(x)
      if n == 1 || !best.isFinite { return best }
      climb(x, signs, &best, multiply)
      // An alternating vector catches matrices in which the climb's sums cancel.
      for i in 0..<n { x[i] = (i % 2 == 0 ? 1 : -1) * (1 + S(i) / S(n - 1)) }
      multiply(x.column, false)
      return max(best, 2 * norm(x) / (3 * S(n)))
    }
  }

  private static func climb(
    _ x: MutableVectorPointer<S>, _ signs: UnsafeMutablePointer<S>, _ best: inout S,
    _ multiply: (_ x: MutableMatrixPointer<S>, _ transposed: Bool) -> Void
  ) {
    let n = x.count
    for i in 0..<n { signs[i] = 0 }
    var previous = -1
    for _ in 0..<5 {
      // The subgradient: Bᵀ·sign(B·x).
      var isRepeated = true
      for i in 0..<n {
        let sign: S = x[i] < 0 ? -1 : 1
        if sign != signs[i] { isRepeated = false }
        signs[i] = sign
      }
      if isRepeated { return }
      for i in 0..<n { x[i] = signs[i] }
      multiply(x.column, true)
      var steepest = 0
      for i in 0..<n where abs(x[i]) > abs(x[steepest]) { steepest = i }
      if previous >= 0 && abs(x[previous]) >= abs(x[steepest]) { return }
      previous = steepest
      for i in 0..<n { x[i] = i == steepest ? 1 : 0 }
      multiply(x.column, false)
      let value = norm(x)
      if !(value > best) { return }
      best = value
    }
  }

  private static func norm(_ x: MutableVectorPointer<S>) -> S {
    var sum: S = 0
    for i in 0..<x.count { sum += abs(x[i]) }
    return sum
  }
}
