import Dispatch
import Synchronization

/// Workers that stay near for a moment after a parallel region, so that the next one finds them awake.
///
/// A region costs little if the team is near. If its workers have to be woken, it costs the system calls of the caller,
/// and the time that the caller works alone. One thread at a time has the team.
package final class Team: Sendable {
  /// A worker for every core but the caller's: more would only take time from each other.
  package static let shared = Team(workers: Threads.cores - 1)

  /// From this much work on, in microseconds, a region is worth a team that is near …
  package static let leastWork = 4.0
  /// … and one that must be called.
  package static let leastWorkOfCall = 64.0

  private let workers: [Worker]
  private let linger: UInt64
  private let isTaken = Atomic<Bool>(false)
  /// When work was last found worth a team that is near, while none was.
  private let lastMissed = Atomic<UInt64>(0)

  /// - Parameter linger: the nanoseconds for which a worker stays without work. If the next region comes later, waking
  ///   the worker costs about half of that; and the regions of a training step, the shortest ones included, follow each
  ///   other faster.
  package init(workers count: Int, linger: UInt64 = 50_000) {
    workers = (0..<count).map { _ in Worker(linger: linger) }
    self.linger = linger
  }

  /// Whether a worker waits for work.
  package var isNear: Bool { workers.first?.isWaiting ?? false }

  /// Whether work that takes one thread so many microseconds is worth the team.
  ///
  /// Work that is worth only a team that is near calls it if the last such work began so recently that the team, had it
  /// been called then, might still be near: a single short product runs alone, a series of them does not.
  package func isWorthwhile(microseconds work: Double) -> Bool {
    if work >= Self.leastWorkOfCall { return true }
    if work < Self.leastWork { return false }
    if isNear { return true }
    let now = DispatchTime.now().uptimeNanoseconds
    return now &- lastMissed.exchange(now, ordering: .relaxed) < linger + UInt64(1000 * work)
  }

  /// Runs the tasks on the calling thread and on at most `helpers` workers.
  ///
  /// The caller begins as many tasks as it can, so that workers that come late, or not at all, keep nothing from being
  /// done; it waits only for those that have accepted the tasks and not yet ended.
  ///
  /// - Returns: false if another thread has the team; then nothing was done.
  package func run(_ tasks: borrowing Tasks, helpers: Int) -> Bool {
    guard isTaken.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else {
      return false
    }
    let helpers = min(helpers, workers.count)
    withUnsafePointer(to: tasks) { tasks in
      var absent: [Worker] = []
      for i in 0..<helpers where workers[i].offer(tasks) { absent.append(workers[i]) }
      Self.call(absent[...])
      tasks.pointee.run()
      for i in 0..<helpers { workers[i].withdraw(tasks) }
      for i in 0..<helpers { workers[i].waitUntilDone() }
    }
    isTaken.store(false, ordering: .releasing)
    return true
  }

  /// Calls the first worker, which calls the first ones of both halves of the others: the caller makes one call, however
  /// large the team. If it made all, the first ones to come would have left again before the last was called.
  private static func call(_ workers: ArraySlice<Worker>) {
    guard let first = workers.first else { return }
    let others = workers.dropFirst()
    let middle = others.startIndex + others.count / 2
    first.call {
      call(others[..<middle])
      call(others[middle...])
    }
  }
}
