import KernelTemplates

/// Right-hand sides ← solutions by Cholesky factors, in any forms.
struct LaneSolve<S: KernelScalar>: LaneWork {
  var call: BatchedSolve<S>

  var order: Int { call.factor.rows }
  /// m, the columns of each right-hand side.
  var columns: Int { call.right.columns }
  var count: Int { call.count }
  var cost: Int { 2 * order * order * columns + 10 * order * (order + columns) }

  /// A factor, right-hand sides, and what the kernel needs.
  var scratch: Int { order * order + order * columns + order }

  func run(_ group: LaneGroup<S>, _ scratch: UnsafeMutablePointer<S>) {
    let (n, lanes) = (order, group.lanes)
    let sides = scratch + n * n * lanes
    call.factor.loadLower(group, to: scratch)
    call.right.load(group, to: sides)
    group.kernels.solveCholesky(scratch, n: n, sides, columns: columns, sides + n * columns * lanes)
    call.right.store(group, from: sides)
  }
}
