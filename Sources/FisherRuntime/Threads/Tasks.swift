import Synchronization

/// The tasks of one parallel region, handed out one by one to the threads that ask for them.
package struct Tasks: ~Copyable, Sendable {
  private let count: Int
  // Sendable: the tasks write disjoint memory, and whoever makes this value keeps it until the last of them has ended.
  nonisolated(unsafe) private let task: (Int) -> Void
  private let next = Atomic<Int>(0)
  /// Of the thread that made the tasks.
  private let underflow = Underflow.current

  package init(_ count: Int, _ task: @escaping (Int) -> Void) {
    self.count = count
    self.task = task
  }

  /// Runs tasks on the calling thread until there is none left to begin. The thread keeps the tasks' underflow.
  package func run() {
    let context = ThreadContext.current
    let outer = context.isInParallelRegion
    context.isInParallelRegion = true
    defer { context.isInParallelRegion = outer }
    Underflow.set(underflow)
    while true {
      let i = next.add(1, ordering: .relaxed).oldValue
      if i >= count { break }
      task(i)
    }
  }
}
