// Gaussian elimination with partial pivoting as in the textbooks, in double precision.

import KernelTemplates

extension ReferenceBackend {
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func factorLU<S: KernelScalar>(_ factors: LUFactors<S>, threads: Int) -> Int? {
    let target = factors.a
    let (m, n) = (target.rows, target.columns)
    var a = (0..<m).map { i in (0..<n).map { j in Double(target[i, j]) } }
    for j in 0..<min(m, n) {
      var pivot = j
      // NaN is never larger than anything.
      for i in j..<m where a[i][j].magnitude > a[pivot][j].magnitude || a[pivot][j].isNaN {
        if !a[i][j].isNaN { pivot = i }
      }
      factors.pivots[j] = pivot
      a.swapAt(j, pivot)
      if a[j][j] == 0 { continue }
      for i in j + 1..<max(m, j + 1) {
        a[i][j] /= a[j][j]
        for k in j + 1..<max(n, j + 1) { a[i][k] -= a[i][j] * a[j][k] }
      }
    }
    for i in 0..<m { for j in 0..<n { target[i, j] = S(a[i][j]) } }
    return factors.firstBadPivot
  }

  /// The condition itself, from the inverse.
  public func reciprocalConditionLU<S: KernelScalar>(_ factors: LUFactors<S>, norm: S, threads: Int) -> S {
    let n = factors.a.rows
    if n == 0 { return 1 }
    if factors.firstBadPivot != nil { return 0 }
    let inverse = Matrix<S>(
      rows: n, columns: n, unsafeUninitialized: { invertLU(factors, into: $0, threads: threads) })
    let inverseNorm = inverse.withPointer { columnSumNorm($0) }
    let reciprocal = 1 / (Double(norm) * Double(inverseNorm))
    return reciprocal > 0 ? S(min(reciprocal, 1)) : 0
  }
}
