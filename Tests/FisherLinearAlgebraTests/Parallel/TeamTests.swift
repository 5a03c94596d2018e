import FisherLinearAlgebra
import FisherRuntime
import FisherTestSupport
import Foundation
import Synchronization
import Testing

/// The protocol between a caller and the workers of a team. Most teams here have more threads than the machine has cores.
struct TeamTests {
  /// Long enough for the workers to be near whenever they are wanted, unless the machine stands still; in nanoseconds.
  private static let long: UInt64 = 100_000_000

  /// Tiny regions without a pause, and with pauses around the time for which workers stay.
  @Test(arguments: [1, 3, 15], [nil, 0, 20_000, 60_000] as [UInt64?])
  func everyTaskRunsOnce(workers: Int, linger: UInt64?) {
    let team = Team(workers: workers, linger: linger ?? Self.long)
    let ledger = Ledger(regions: linger == nil ? 50_000 : 500, width: 9)
    var generator = Generator(seed: Seed.first)
    let what = "\(workers) workers, linger \(linger ?? Self.long) ns"
    ledger.run(what) { _, count, task in
      if let linger { pause(nanoseconds: UInt64.random(in: 0...2 * linger + 1, using: &generator)) }
      let ran = team.run(count, helpers: workers, task)
      #expect(ran)
    }
    usleep(2000)
    ledger.expectStillRight(what)
  }

  /// The caller returns after the last task, also if that one is slow and on another thread.
  @Test func callerWaitsForWorkers() {
    let team = Team(workers: 1, linger: Self.long)
    for _ in 0..<20 {
      let (caller, meeting) = (thisThread, Meeting(of: 2))
      // Memory of the caller's stack.
      let written = Atomic<Int>(0)
      let ran = team.run(2, helpers: 1) { _ in
        meeting.attend()
        if thisThread != caller {
          usleep(3000)
          written.store(1, ordering: .relaxed)
        }
      }
      #expect(ran)
      #expect(written.load(ordering: .relaxed) == 1)
    }
  }

  /// While workers stay, the same threads take region after region; all of them take part.
  @Test(arguments: [1, 3]) func workersStay(workers: Int) {
    let team = Team(workers: workers, linger: Self.long)
    let threads = Mutex<Set<UInt>>([])
    var stayed = 0
    for _ in 0..<200 {
      let meeting = Meeting(of: workers + 1)
      let ran = team.run(workers + 1, helpers: workers) { _ in
        meeting.attend()
        threads.withLock { _ = $0.insert(thisThread) }
      }
      #expect(ran)
      stayed += team.isNear ? 1 : 0
    }
    #expect(stayed > 150)
    #expect(threads.withLock { $0.count } < 2 * (workers + 1))
  }

  /// After that they leave, and come again when they are called.
  @Test func workersLeaveAndComeBack() {
    let team = Team(workers: 2, linger: 100_000)
    for _ in 0..<20 {
      let meeting = Meeting(of: 3)
      let ran = team.run(3, helpers: 2) { _ in meeting.attend() }
      #expect(ran)
      guard waitUntil({ !team.isNear }) else {
        Issue.record("a worker stays for ever")
        return
      }
    }
  }

  /// Fewer helpers are asked for than there are workers.
  @Test func helpersAreLimited() {
    let team = Team(workers: 3, linger: Self.long)
    for _ in 0..<200 {
      let threads = Mutex<Set<UInt>>([])
      let ran = team.run(20, helpers: 1) { _ in
        threads.withLock { _ = $0.insert(thisThread) }
        sched_yield()
      }
      #expect(ran)
      #expect(threads.withLock { $0.count } <= 2)
    }
  }

  /// A thread that comes while another has the team is sent away at once.
  @Test func oneCallerAtATime() {
    let team = Team(workers: 1, linger: Self.long)
    let meeting = Meeting(of: 2)
    let answer = Atomic<Int>(-1)
    onThreads(2) {
      if answer.exchange(-2, ordering: .relaxed) == -1 {
        // Holds the team until the other one has its answer.
        let ran = team.run(1, helpers: 1) { _ in
          meeting.attend()
          #expect(waitUntil { answer.load(ordering: .acquiring) >= 0 })
        }
        #expect(ran)
      } else {
        meeting.attend()
        let ran = team.run(1, helpers: 1) { _ in Issue.record("ran in a team that was taken") }
        answer.store(ran ? 1 : 0, ordering: .releasing)
      }
    }
    #expect(answer.load(ordering: .relaxed) == 0)
  }

  /// Many threads want the same team all the time; who does not get it works alone.
  @Test(arguments: [1, 3]) func callersTakeTurns(workers: Int) {
    let team = Team(workers: workers)
    onThreads(4) {
      let ledger = Ledger(regions: 2000, width: 9)
      ledger.run("4 callers") { _, count, task in
        if !team.run(count, helpers: workers, task) { (0..<count).forEach(task) }
      }
      ledger.expectStillRight("4 callers")
    }
  }

  /// A team without workers leaves all to the caller.
  @Test func noWorkers() {
    let ledger = Ledger(regions: 20, width: 9)
    let (team, caller) = (Team(workers: 0), thisThread)
    ledger.run("no workers") { _, count, task in
      let ran = team.run(count, helpers: 3) { i in
        #expect(thisThread == caller)
        task(i)
      }
      #expect(ran)
    }
  }

  /// Short work is worth a team that is near, or work that comes again at once; long work always.
  @Test func worth() {
    let (little, some, much) = (Team.leastWork / 2, Team.leastWork * 2, Team.leastWorkOfCall)
    let team = Team(workers: 1, linger: Self.long)
    #expect(!team.isWorthwhile(microseconds: little))
    #expect(team.isWorthwhile(microseconds: much))
    #expect(!team.isWorthwhile(microseconds: some), "the first of a series")
    #expect((0..<10).contains { _ in team.isWorthwhile(microseconds: some) }, "later ones")
    let near = (0..<10).contains { _ in
      let meeting = Meeting(of: 2)
      _ = team.run(2, helpers: 1) { _ in meeting.attend() }
      return team.isWorthwhile(microseconds: some)
    }
    #expect(near)
    #expect(!team.isWorthwhile(microseconds: little))

    let hasty = Team(workers: 1, linger: 0)
    for _ in 0..<3 {
      #expect(!hasty.isWorthwhile(microseconds: some), "too long after the one before")
      usleep(UInt32(some) + 1000)
    }
  }
}

extension Team {
  /// A region of `count` tasks.
  fileprivate func run(_ count: Int, helpers: Int, _ task: (Int) -> Void) -> Bool {
    withoutActuallyEscaping(task) { task in run(Tasks(count, task), helpers: helpers) }
  }
}
