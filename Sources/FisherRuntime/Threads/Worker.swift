import Dispatch
import Synchronization

/// A thread of a ``Team``: it takes the tasks that it is offered, and stays for a moment when they are done.
///
/// Its state is one word, the address of the tasks that it is offered or one of three small numbers:
///
///               offer              take               done
///     waiting ─────────▶ address ─────────▶ running ─────────▶ waiting
///     waiting ◀───────── address                      the caller offers and withdraws;
///       │      withdraw     ▲                         the worker takes, is done, and leaves
///       └─────▶ absent ─────┘
///        leave         offer, and a thread must be called
///
/// Why this is right:
///
/// 1. *One caller, one worker.* Only the thread that has the team offers and withdraws. An offer that finds `absent`,
///    which a worker writes as its last act, is followed by one call of a thread, and no other is: there is at most one
///    at a time. The call may come late, from a worker called before; until then nobody takes, which is as if the thread
///    itself came late.
/// 2. *The worker sees the tasks.* Offering releases, taking acquires: all that the caller wrote before the offer is
///    visible to the tasks.
/// 3. *The caller sees the results.* Being done releases, and so does leaving; the caller returns after a load that
///    acquires one of these writes, or after withdrawing, when the worker has run nothing.
/// 4. *Nothing outlives the call.* The worker follows the address only between taking and being done. Once the caller
///    has tried to withdraw, the word is no address, so nobody can take; then it waits until the word is not `running`.
///    A worker that has read the address earlier fails to take. If the same address was offered again meanwhile, it
///    does take, but the new tasks: an exchange always meets the newest value, and acquires from that offer.
/// 5. *Nobody waits for a worker that is not there.* The caller waits only for a worker that has taken the tasks, and
///    itself runs what that one has not begun.
final class Worker: Sendable {
  private static let absent: UInt = 0
  private static let waiting: UInt = 1
  private static let running: UInt = 2

  // On cache lines of its own: others' writes beside it would disturb the one who watches it.
  nonisolated(unsafe) private let state: UnsafeMutablePointer<Atomic<UInt>>
  // Serial queues get threads beyond the pool of one thread a core, so that a worker that stays keeps nobody waiting.
  private let queue = DispatchQueue(label: "FisherKit.Worker")
  private let linger: UInt64

  init(linger: UInt64) {
    let lines = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 128)
    state = lines.bindMemory(to: Atomic<UInt>.self, capacity: 1)
    state.initialize(to: Atomic(Self.absent))
    self.linger = linger
  }

  deinit { UnsafeMutableRawPointer(state).deallocate() }

  var isWaiting: Bool { state.pointee.load(ordering: .relaxed) == Self.waiting }

  /// Offers tasks.
  ///
  /// - Returns: whether the worker is absent, so that it must be called.
  func offer(_ tasks: UnsafePointer<Tasks>) -> Bool {
    state.pointee.exchange(UInt(bitPattern: tasks), ordering: .releasing) == Self.absent
  }

  /// Calls a thread, which does something else first.
  func call(_ first: @escaping @Sendable () -> Void) {
    queue.async {
      first()
      self.attend()
    }
  }

  /// Takes the offer back if it was not accepted.
  func withdraw(_ tasks: UnsafePointer<Tasks>) {
    _ = state.pointee.compareExchange(
      expected: UInt(bitPattern: tasks), desired: Self.waiting, ordering: .relaxed)
  }

  /// Waits for the tasks that the worker has accepted. After a while its core may be needed by the worker.
  func waitUntilDone() {
    var looks = 0
    while state.pointee.load(ordering: .acquiring) == Self.running {
      if looks < 1000 { spinHint() } else { sched_yield() }
      looks += 1
    }
  }

  /// What the thread does until it has waited in vain for too long.
  private func attend() {
    // The thread goes back to Dispatch as threads are.
    defer { Underflow.set(.gradual) }
    repeat {
      var deadline = DispatchTime.now().uptimeNanoseconds + linger
      repeat {
        for _ in 0..<16 {
          if takeTasks() { deadline = DispatchTime.now().uptimeNanoseconds + linger }
          spinHint()
        }
        // Who else wants this core, perhaps the caller, gets it.
        sched_yield()
      } while DispatchTime.now().uptimeNanoseconds < deadline
    } while !leave()
  }

  /// Runs the tasks that are offered, if any.
  private func takeTasks() -> Bool {
    let offer = state.pointee.load(ordering: .relaxed)
    guard let tasks = UnsafePointer<Tasks>(bitPattern: offer), offer > Self.running,
      state.pointee.compareExchange(expected: offer, desired: Self.running, ordering: .acquiring).exchanged
    else { return false }
    tasks.pointee.run()
    state.pointee.store(Self.waiting, ordering: .releasing)
    return true
  }

  /// Declares the worker absent, unless tasks are offered.
  private func leave() -> Bool {
    state.pointee.compareExchange(expected: Self.waiting, desired: Self.absent, ordering: .releasing)
      .exchanged
  }
}
