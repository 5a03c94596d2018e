import KernelTemplates

/// Right-hand sides ← solutions by Cholesky factors, in any forms.
struct LaneSolve<S: KernelScalar>: LaneWork {
  var order: Int
  /// m, the columns of each right-hand side.
  var columns: Int
  var count: Int
  var factor: LaneMatrices<S>
  var right: LaneMatrices<S>

  var cost: Int { 2 * order * order * columns + 10 * order * (order + columns) }

  /// A factor, a packed one, right-hand sides, and what the kernel needs.
  var scratch: Int { order * order + Packed.count(order) + order * columns + order }

  func run(_ g: Int, count: Int, _ kernels: any KernelSet<S>.Type, _ scratch: UnsafeMutablePointer<S>) {
    let (n, lanes) = (order, kernels.shape.lanes)
    let packed = scratch + n * n * lanes
    let sides = packed + Packed.count(n) * lanes
    factor.loadLower(g, count: count, n: n, kernels, to: scratch, packed)
    right.load(g, count: count, rows: n, columns: columns, kernels, to: sides)
    kernels.solveCholesky(scratch, n: n, sides, columns: columns, sides + n * columns * lanes)
    right.store(g, count: count, rows: n, columns: columns, kernels, from: sides, packed)
  }
}
