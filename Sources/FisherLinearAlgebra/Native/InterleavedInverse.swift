import KernelTemplates

/// The inverses of groups that stay interleaved: a copy of each is kept meanwhile, for the lanes that fail.
struct InterleavedInverse<S: KernelScalar> {
  /// A row for each group.
  var groups: MutableMatrixPointer<S>
  var order: Int
  var count: Int
  var absolute: S
  var relative: S
  /// The first bad pivot of each matrix, −1 if there is none.
  var outcomes: UnsafeMutablePointer<Int32>

  func run(_ kernels: any KernelSet<S>.Type, threads: Int) {
    let (n, lanes) = (order, kernels.shape.lanes)
    let perTask = BatchedWork.groupsPerTask(order: n, lanes: lanes)
    let tasks = (groups.rows + perTask - 1) / perTask
    Parallel.perform(tasks, threads: threads) { task in
      ThreadContext.current.withScratch(BatchedWork.scratch(order: n, lanes: lanes), of: S.self) { scratch in
        for g in task * perTask..<min(groups.rows, (task + 1) * perTask) { invert(g, kernels, scratch) }
      }
    }
  }

  private func invert(_ g: Int, _ kernels: any KernelSet<S>.Type, _ scratch: UnsafeMutablePointer<S>) {
    let (n, lanes) = (order, kernels.shape.lanes)
    let size = n * n * lanes
    let group = groups.block(g, 0, rows: 1, columns: size)
    let backup = MutableMatrixPointer(scratch, rows: 1, columns: size, rowStride: size, columnStride: 1)
    kernels.copy(group.readOnly, to: backup)
    if absolute != 0 || relative != 0 {
      kernels.damp(group.base, n: n, absolute: absolute, relative: relative)
    }
    let pivots = scratch + size
    let isGood = kernels.invertSymmetric(group.base, n: n, pivots: pivots, pivots + n * lanes)
    for lane in 0..<min(lanes, count - g * lanes) {
      let bad = isGood ? nil : BatchedWork.firstBadPivot(pivots, order: n, lanes: lanes, lane)
      outcomes[g * lanes + lane] = Int32(bad ?? -1)
      if bad != nil {
        for e in 0..<n * n { group.base[e * lanes + lane] = scratch[e * lanes + lane] }
      }
    }
  }
}

/// How batches of small matrices are cut into tasks, and what a task needs.
enum BatchedWork {
  /// Groups worth some 30 µs.
  static func groupsPerTask(order n: Int, lanes: Int) -> Int {
    max(1, Int(1e6 / (Double(n * n * n + 20 * n * n) * Double(lanes))))
  }

  /// Elements for a group, its pivots, and the sweep.
  static func scratch(order n: Int, lanes: Int) -> Int { (n * n + n + 4 * (n + 1)) * lanes }

  /// The first pivot of one lane that is not above 0, nil if there is none.
  static func firstBadPivot<S: KernelScalar>(
    _ pivots: UnsafePointer<S>, order n: Int, lanes: Int, _ lane: Int
  ) -> Int? {
    (0..<n).first { !(pivots[$0 * lanes + lane] > 0) }
  }
}
