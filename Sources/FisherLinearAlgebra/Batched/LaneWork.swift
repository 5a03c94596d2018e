import FisherRuntime
import KernelTemplates

/// Work on groups of small matrices, one in each lane, that can be handed out to threads.
protocol LaneWork {
  associatedtype S: KernelScalar
  /// The number of matrices.
  var count: Int { get }
  /// What one matrix costs, in multiply-adds.
  var cost: Int { get }
  /// Vectors of scratch memory.
  var scratch: Int { get }
  /// Carries out one group.
  func run(_ group: LaneGroup<S>, _ scratch: UnsafeMutablePointer<S>)
}

extension LaneWork {
  /// As many groups as outweigh the start of a task many times.
  private func groupsPerTask(_ lanes: Int) -> Int { max(1, Int(1e6 / Double(max(1, cost) * lanes))) }

  private func tasks(_ lanes: Int) -> Int {
    let (groups, perTask) = ((count + lanes - 1) / lanes, groupsPerTask(lanes))
    return (groups + perTask - 1) / perTask
  }

  /// Carries out one task.
  private func run(task: Int, _ kernels: any KernelSet<S>.Type) {
    let lanes = kernels.shape.lanes
    let perTask = groupsPerTask(lanes) * lanes
    ThreadContext.current.withScratch(scratch * lanes, of: S.self) { scratch in
      for first in stride(from: task * perTask, to: min(count, (task + 1) * perTask), by: lanes) {
        run(
          LaneGroup(kernels: kernels, lanes: lanes, first: first, count: min(lanes, count - first)), scratch)
      }
    }
  }

  /// Carries out several pieces of work, the groups of all of them spread over the threads.
  static func perform(_ works: UnsafeBufferPointer<Self>, _ kernels: any KernelSet<S>.Type, threads: Int) {
    let lanes = kernels.shape.lanes
    let total = works.reduce(0) { $0 + $1.tasks(lanes) }
    Parallel.perform(total, threads: threads) { task in
      var (i, task) = (0, task)
      while task >= works[i].tasks(lanes) {
        task -= works[i].tasks(lanes)
        i += 1
      }
      works[i].run(task: task, kernels)
    }
  }

  /// Carries out this piece of work.
  func perform(_ kernels: any KernelSet<S>.Type, threads: Int) {
    withUnsafePointer(to: self) {
      Self.perform(UnsafeBufferPointer(start: $0, count: 1), kernels, threads: threads)
    }
  }
}
