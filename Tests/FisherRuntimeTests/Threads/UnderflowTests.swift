import FisherRuntime
import Foundation
import Synchronization
import Testing

/// A thread's underflow is its own, and that of the tasks of its regions.
@Suite struct UnderflowTests {
  /// Not known when this is compiled.
  private static let least = [Float.leastNormalMagnitude, Float.leastNonzeroMagnitude]

  @inline(never)
  private func half(_ numbers: UnsafePointer<Float>) -> Float { numbers[0] * 0.5 }

  @Test func resultsBelowTheNormalNumbersAreZero() {
    #expect(Underflow.current == .gradual)
    #expect(half(Self.least) == Float.leastNormalMagnitude / 2 && half(Self.least).isSubnormal)
    #expect(Underflow.set(.toZero) == .gradual)
    let (inside, result) = (Underflow.current, half(Self.least))
    #expect(Underflow.set(.gradual) == .toZero)
    #expect(Underflow.current == .gradual && half(Self.least).isSubnormal)
    #if arch(x86_64) || arch(arm64)
      #expect(inside == .toZero && result == 0)
    #endif
  }

  /// A thread begins with the mode of the one that made it, and knows it.
  @Test func threadsThatAreMadeMeanwhileKnowTheirMode() {
    let seen = Mutex<[Bool]>([])
    let outer = Underflow.set(.toZero)
    let thread = Thread {
      let (before, result) = (Underflow.current, self.half(Self.least))
      Underflow.set(.gradual)
      let after = self.half(Self.least)
      seen.withLock { $0 = [(before == .toZero) == (result == 0), after != 0] }
    }
    thread.start()
    while !thread.isFinished { sched_yield() }
    Underflow.set(outer)
    #expect(seen.withLock { $0 } == [true, true])
  }

  @Test(arguments: [Underflow.gradual, .toZero])
  func tasksHaveThatOfTheirCaller(underflow: Underflow) {
    let team = Team(workers: 3)
    let outer = Underflow.set(underflow)
    // The caller's tasks end when all threads have begun one, so that each takes part.
    let begun = Atomic(0)
    let others = Atomic(0)
    let sums = Atomic(0)
    for _ in 0..<50 {
      begun.store(0, ordering: .relaxed)
      let tasks = Tasks(4) { _ in
        begun.add(1, ordering: .relaxed)
        while begun.load(ordering: .relaxed) < 4 { sched_yield() }
        if Underflow.current != underflow { others.add(1, ordering: .relaxed) }
        if half(Self.least) != 0 { sums.add(1, ordering: .relaxed) }
      }
      let hasRun = team.run(tasks, helpers: 3)
      #expect(hasRun)
    }
    Underflow.set(outer)
    #expect(others.load(ordering: .relaxed) == 0)
    #expect(sums.load(ordering: .relaxed) == (underflow == .gradual ? 200 : 0))
  }
}
