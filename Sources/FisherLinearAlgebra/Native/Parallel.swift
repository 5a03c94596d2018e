import Dispatch
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Runs independent tasks on several threads.
///
/// No lock is held while tasks run. A call from inside a task runs serially on its thread, and so does everything in a
/// child process after `fork`, where the threads of the pool do not exist.
package enum Parallel {
  /// Set in the child of a `fork` that followed a parallel call.
  private static let isForkedChild = Atomic<Bool>(false)
  private static let watchForFork: Void = {
    pthread_atfork(nil, nil) { Parallel.isForkedChild.store(true, ordering: .relaxed) }
  }()

  /// How many of `threads` a call may use here and now.
  package static func allowance(_ threads: Int) -> Int {
    if threads <= 1 || isForkedChild.load(ordering: .relaxed) { return 1 }
    return ThreadContext.current.isInParallelRegion ? 1 : threads
  }

  /// Runs `task` for 0 ..< `count`, each once, in any order, on at most `threads` threads.
  ///
  /// Which thread runs which task is left to chance; results must not depend on it.
  package static func perform(_ count: Int, threads: Int, _ task: (Int) -> Void) {
    let workers = min(allowance(threads), count)
    if workers <= 1 {
      for i in 0..<count { task(i) }
      return
    }
    _ = watchForFork
    let next = Atomic<Int>(0)
    // The tasks write disjoint memory, and `perform` returns after the last of them: nothing outlives the call.
    nonisolated(unsafe) let task = task
    DispatchQueue.concurrentPerform(iterations: workers) { _ in
      let context = ThreadContext.current
      let outer = context.isInParallelRegion
      context.isInParallelRegion = true
      defer { context.isInParallelRegion = outer }
      while true {
        let i = next.add(1, ordering: .relaxed).oldValue
        if i >= count { break }
        task(i)
      }
    }
  }
}
