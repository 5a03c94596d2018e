import FisherRuntime
import KernelTemplates

extension NativeBackend {
  /// Recursive, in place where columns are adjacent; see PivotedElimination.swift.
  @specialized(where S == Float) @specialized(where S == Double)
  public func factorLU<S: KernelScalar>(_ factors: LUFactors<S>, threads: Int) -> Int? {
    factor(factors, threads)
  }

  @inline(never)
  private func factor<S: KernelScalar>(_ factors: LUFactors<S>, _ threads: Int) -> Int? {
    let (a, kernels) = (factors.a, S._kernels(instructionSet))
    // Where rows collide, a copy costs less from some order on.
    let collides = a.rows >= 128 && BlockingPlan.collides(a.rowStride * MemoryLayout<S>.size)
    if (a.columnStride == 1 || a.columns == 1) && !collides {
      var rows = a
      rows.columnStride = 1
      PivotedElimination(a: rows, pivots: factors.pivots, kernels: kernels, threads: threads).run()
    } else {
      // An odd number of cache lines.
      let line = 64 / MemoryLayout<S>.size
      let stride = ((a.columns + line - 1) / line | 1) * line
      ThreadContext.current.withScratch(a.rows * stride, of: S.self) { scratch in
        let rows = MutableMatrixPointer(
          scratch, rows: a.rows, columns: a.columns, rowStride: stride, columnStride: 1)
        kernels.copy(a.readOnly, to: rows)
        PivotedElimination(a: rows, pivots: factors.pivots, kernels: kernels, threads: threads).run()
        kernels.copy(rows.readOnly, to: a)
      }
    }
    return factors.firstBadPivot
  }
}

extension LUFactors {
  /// The first j with uⱼⱼ 0 or NaN.
  var firstBadPivot: Int? {
    for j in 0..<count where !(abs(a[j, j]) > 0) { return j }
    return nil
  }
}
