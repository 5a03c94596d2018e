import Foundation

extension ReferenceBackend {
  /// Each matrix by the definition of its Cholesky factor L and A⁻¹ = L⁻ᵀ·L⁻¹, in double precision.
  public func invertPositiveDefinite<S: KernelScalar>(_ call: BatchedInverse<S>, threads: Int) {
    for i in 0..<call.count {
      let result = Self.positiveDefiniteInverse(call, i)
      call.outcomes[i] = Int32(result.badPivot ?? -1)
      call.logDeterminants?[i] = S(result.logDeterminant)
      guard result.badPivot == nil else { continue }
      let target = call.target(i)
      for r in 0..<call.order {
        for c in 0..<call.order { target[r, c] = S(result.inverse[r][c]) }
      }
    }
  }

  private static func positiveDefiniteInverse<S: KernelScalar>(
    _ call: BatchedInverse<S>, _ index: Int
  ) -> (inverse: [[Double]], logDeterminant: Double, badPivot: Int?) {
    let (n, source) = (call.order, call.source(index))
    var a = (0..<n).map { i in (0..<n).map { j in Double(source[max(i, j), min(i, j)]) } }
    let trace = (0..<n).reduce(0) { $0 + a[$1][$1] }
    for i in 0..<n { a[i][i] += call.damping(trace: trace) }
    var l = [[Double]](repeating: [Double](repeating: 0, count: n), count: n)
    var logDeterminant = 0.0
    for j in 0..<n {
      let pivot = a[j][j] - (0..<j).reduce(0) { $0 + l[j][$1] * l[j][$1] }
      guard pivot > 0 else { return ([], .nan, j) }
      logDeterminant += log(pivot)
      l[j][j] = pivot.squareRoot()
      for i in j + 1..<max(n, j + 1) {
        l[i][j] = (a[i][j] - (0..<j).reduce(0) { $0 + l[i][$1] * l[j][$1] }) / l[j][j]
      }
    }
    // Column by column: L·y = e, then Lᵀ·x = y.
    var inverse = a
    for c in 0..<n {
      var x = (0..<n).map { $0 == c ? 1.0 : 0 }
      for i in 0..<n { x[i] = (x[i] - (0..<i).reduce(0) { $0 + l[i][$1] * x[$1] }) / l[i][i] }
      for i in (0..<n).reversed() {
        x[i] = (x[i] - (i + 1..<n).reduce(0) { $0 + l[$1][i] * x[$1] }) / l[i][i]
      }
      for r in 0..<n { inverse[r][c] = x[r] }
    }
    return (inverse, logDeterminant, nil)
  }
}
