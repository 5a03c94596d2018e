import Dispatch
import Synchronization

/// Runs independent tasks on several threads.
///
/// No lock is held while tasks run. One thread at a time has the team; others that want help meanwhile get it from
/// Dispatch. A call from inside a task runs serially on its thread, and so does everything in a child process after
/// `fork`, where the other threads do not exist.
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

  /// How many of `threads` are worth using here and now for work that takes one of them so long.
  package static func allowance(_ threads: Int, microseconds work: Double) -> Int {
    if threads <= 1 || work < Team.leastWork { return 1 }
    let allowed = allowance(threads)
    return allowed > 1 && Team.shared.isWorthwhile(microseconds: work) ? allowed : 1
  }

  /// Numbers that one task of a pass over memory takes: some microseconds, and a few hundred kilobytes.
  package static var elementwisePiece: Int { 32768 }

  /// How many of `threads` are worth offering to one pass over so many numbers: only one for less than a piece.
  package static func elementwise(_ count: Int, threads: Int) -> Int {
    count < elementwisePiece ? 1 : threads
  }

  /// Passes over so many numbers each, cut into pieces, one pass's after another's.
  package static func elementwisePieces(_ counts: [Int]) -> [(pass: Int, range: Range<Int>)] {
    var pieces: [(pass: Int, range: Range<Int>)] = []
    for (pass, count) in counts.enumerated() {
      for start in stride(from: 0, to: count, by: elementwisePiece) {
        pieces.append((pass, start..<min(count, start + elementwisePiece)))
      }
    }
    return pieces
  }

  /// Runs `task` for every piece of ``elementwisePieces(_:)``; on one thread if all passes together are less than a piece,
  /// however many there are.
  package static func perform(
    _ pieces: [(pass: Int, range: Range<Int>)], threads: Int,
    _ task: (_ piece: Int, _ pass: Int, _ range: Range<Int>) -> Void
  ) {
    let count = pieces.reduce(0) { $0 + $1.range.count }
    perform(pieces.count, threads: elementwise(count, threads: threads)) { i in
      task(i, pieces[i].pass, pieces[i].range)
    }
  }

  /// Runs `task` for 0 ..< `count`, each once, in any order, on at most `threads` threads.
  ///
  /// Which thread runs which task is left to chance; results must not depend on it.
  package static func perform(_ count: Int, threads: Int, _ task: (Int) -> Void) {
    let threads = min(allowance(threads), count)
    if threads <= 1 {
      for i in 0..<count { task(i) }
      return
    }
    _ = watchForFork
    // Nothing outlives the call: it returns after the last task.
    withoutActuallyEscaping(task) { task in
      let tasks = Tasks(count, task)
      if Team.shared.run(tasks, helpers: threads - 1) { return }
      let caller = UInt(bitPattern: ThreadContext.current.address)
      DispatchQueue.concurrentPerform(iterations: threads) { _ in
        tasks.run()
        // A thread goes back to Dispatch as threads are.
        if UInt(bitPattern: ThreadContext.current.address) != caller { Underflow.set(.gradual) }
      }
    }
  }
}
