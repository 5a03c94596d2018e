import FisherRuntime
import KernelTemplates

// X → A^(−1/p) by products alone (N. J. Higham, Functions of Matrices, 2008, 7.6; the constants are those of Google's
// Shampoo, R. Anil et al. 2020):
//
//     z = (1 + p)/(2·‖A‖_F),  M₀ = z·A,  X₀ = z^(1/p)·I
//     T = ((p + 1)·I − M)/p,  M ← Tᵖ·M,  X ← X·T
//
// M tends to I quadratically once it is near, and Xᵖ·A = M up to rounding. When max |M − I| grows by a fifth, rounding
// has taken over: the iterate before is the result.

/// The iteration for one matrix.
struct CoupledNewton<S: KernelScalar> {
  let p: Int
  let tolerance: S
  let maxIterations: Int

  /// X ← A^(−1/p) for an A without gaps, with five squares of scratch memory from `first` on.
  ///
  /// - Returns: how many iterations were made.
  @specialized(where S == Float) @specialized(where S == Double)
  func run(
    _ a: MutableMatrixPointer<S>, into x: MutableMatrixPointer<S>, _ work: ScratchSquares<S>,
    first: Int
  ) -> Int {
    var (m, one, other) = (work[first], work[first + 1], work[first + 2])
    let t = work[first + 3]
    var (iterate, spare) = (x, work[first + 4])
    start(a, m, x, work)
    var (error, iterations) = (work.distanceFromIdentity(m), 0)
    while iterations < maxIterations && error >= tolerance {
      setStep(t, m)
      let (power, free) = work.power(of: t, p, one, other)
      work.multiply(power, m, into: free)
      let nextError = work.distanceFromIdentity(free)
      // Not true for NaN either.
      if !(nextError <= 1.2 * error) { break }
      if free.base == one.base { (m, one) = (one, m) } else { (m, other) = (other, m) }
      work.multiply(iterate, t, into: spare)
      (iterate, spare) = (spare, iterate)
      error = nextError
      iterations += 1
    }
    if iterate.base != x.base { work.backend.copy(iterate.readOnly, to: x) }
    return iterations
  }

  /// M₀ and X₀
  private func start(
    _ a: MutableMatrixPointer<S>, _ m: MutableMatrixPointer<S>, _ x: MutableMatrixPointer<S>,
    _ work: ScratchSquares<S>
  ) {
    let n = a.rows
    let norm = work.backend.nrm2(VectorPointer(UnsafePointer(a.base), count: n * n))
    let z = Double(1 + p) / (2 * Double(norm))
    let diagonal = S(pow(z, 1 / Double(p)))
    for i in 0..<n {
      for j in 0..<n {
        m[i, j] = S(z * Double(a[i, j]))
        x[i, j] = i == j ? diagonal : 0
      }
    }
  }

  /// T
  private func setStep(_ t: MutableMatrixPointer<S>, _ m: MutableMatrixPointer<S>) {
    for i in 0..<t.rows {
      for j in 0..<t.rows { t[i, j] = (i == j ? S(p + 1) - m[i, j] : -m[i, j]) / S(p) }
    }
  }
}
