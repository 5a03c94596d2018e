import KernelTemplates

extension CholeskyOperations {
  /// By the definition: what a backend without a routine of its own does.
  public func potrf<S: KernelScalar>(_ call: Potrf<S>, threads: Int) -> PivotOutcome {
    ReferenceBackend().potrf(call, threads: threads)
  }

  public func potri<S: KernelScalar>(_ call: Potri<S>, threads: Int) {
    ReferenceBackend().potri(call, threads: threads)
  }

  public func invertPositiveDefinite<S: KernelScalar>(
    _ call: Potrf<S>, mirror: Bool, threads: Int
  ) -> PivotOutcome {
    let outcome = potrf(call, threads: threads)
    if outcome.firstBadPivot == nil {
      potri(
        Potri(factor: call.target.readOnly, target: call.target, triangle: call.triangle, mirror: mirror),
        threads: threads)
    }
    return outcome
  }
}

extension Potrf {
  /// Target ← the damped upper triangle of the source.
  @inline(__always)
  func loadTarget() {
    let damping = damping
    copyTriangle(of: source, to: target)
    if damping != 0 { for i in 0..<order { target[i, i] += damping } }
  }
}

/// Copies the upper triangle, unless both are one.
@specialized(where S == Float) @specialized(where S == Double)
func copyTriangle<S: KernelScalar>(of source: MatrixPointer<S>, to target: MutableMatrixPointer<S>) {
  let n = source.rows
  if source.base == UnsafePointer(target.base) { return }
  if source.columnStride == 1 && target.columnStride == 1 {
    for i in 0..<n {
      (target.base + i * (target.rowStride + 1)).update(
        from: source.base + i * (source.rowStride + 1), count: n - i)
    }
  } else if source.rowStride == 1 && target.rowStride == 1 {
    for j in 0..<n {
      (target.base + j * target.columnStride).update(
        from: source.base + j * source.columnStride, count: j + 1)
    }
  } else {
    for i in 0..<n { for j in i..<n { target[i, j] = source[i, j] } }
  }
}

/// Copies the upper triangle onto the lower one.
@specialized(where S == Float) @specialized(where S == Double)
func mirrorUpper<S: KernelScalar>(_ a: MutableMatrixPointer<S>) {
  for i in 0..<a.rows {
    for j in 0..<i { a[i, j] = a[j, i] }
  }
}
