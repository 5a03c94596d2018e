import Foundation
import KernelTemplates

extension NativeBackend {
  /// As many matrices at once as a vector has lanes, groups of them spread over the threads.
  @specialized(where S == Float) @specialized(where S == Double)
  public func invertPositiveDefinite<S: KernelScalar>(_ call: BatchedInverse<S>, threads: Int) {
    invertGroups(call, threads)
  }

  @inline(never)
  private func invertGroups<S: KernelScalar>(_ call: BatchedInverse<S>, _ threads: Int) {
    let kernels = S._kernels(instructionSet)
    let (n, lanes) = (call.order, kernels.shape.lanes)
    if n == 0 {
      for i in 0..<call.count { call.outcomes[i] = -1 }
      return
    }
    let groups = (call.count + lanes - 1) / lanes
    let perTask = BatchedWork.groupsPerTask(order: n, lanes: lanes)
    let tasks = (groups + perTask - 1) / perTask
    Parallel.perform(tasks, threads: threads) { task in
      ThreadContext.current.withScratch(BatchedWork.scratch(order: n, lanes: lanes), of: S.self) { scratch in
        for g in task * perTask..<min(groups, (task + 1) * perTask) {
          invertGroup(call, kernels, first: g * lanes, count: min(lanes, call.count - g * lanes), scratch)
        }
      }
    }
  }

  private func invertGroup<S: KernelScalar>(
    _ call: BatchedInverse<S>, _ kernels: any KernelSet<S>.Type, first: Int, count: Int,
    _ scratch: UnsafeMutablePointer<S>
  ) {
    let (n, lanes) = (call.order, kernels.shape.lanes)
    let (group, pivots) = (scratch, scratch + n * n * lanes)
    kernels.interleave(
      MatrixGroup(
        call.source(first).base, count: count, matrixStride: call.sourceStride,
        rowStride: call.source.rowStride,
        columnStride: call.source.columnStride), n: n, to: group)
    if call.absolute != 0 || call.relative != 0 {
      kernels.damp(group, n: n, absolute: call.absolute, relative: call.relative)
    }
    fetchNext(call, after: first, lanes)
    let isGood = kernels.invertSymmetric(group, n: n, pivots: pivots, pivots + n * lanes)
    let target = MatrixGroup(
      call.target(first).base, count: count, matrixStride: call.targetStride,
      rowStride: call.target.rowStride,
      columnStride: call.target.columnStride)
    if isGood {
      kernels.deinterleave(UnsafePointer(group), n: n, to: target)
    }
    for lane in 0..<count {
      let bad = isGood ? nil : BatchedWork.firstBadPivot(pivots, order: n, lanes: lanes, lane)
      call.outcomes[first + lane] = Int32(bad ?? -1)
      if !isGood && bad == nil { kernels.deinterleaveLane(UnsafePointer(group), n: n, lane, to: target) }
      if let logDeterminants = call.logDeterminants {
        let sum = (0..<n).reduce(0.0) { $0 + log(Double(pivots[$1 * lanes + lane])) }
        logDeterminants[first + lane] = bad == nil ? S(sum) : .nan
      }
    }
  }

  /// Asks for the next group while this one is computed, if its matrices lie side by side.
  @inline(__always)
  private func fetchNext<S: KernelScalar>(_ call: BatchedInverse<S>, after first: Int, _ lanes: Int) {
    let (size, next) = (call.order * call.order, first + lanes)
    if call.sourceStride != size || call.targetStride != size || next >= call.count { return }
    let line = 64 / MemoryLayout<S>.size
    for offset in stride(from: 0, to: min(lanes, call.count - next) * size, by: line) {
      prefetch(call.source(next).base + offset, into: .second)
      prefetch(UnsafePointer(call.target(next).base) + offset, into: .second)
    }
  }
}
