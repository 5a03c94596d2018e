import FisherLinearAlgebra
import FisherRuntime
import Foundation
import Synchronization
import FisherTestSupport
import Testing

/// Parallel regions as the library starts them, in every circumstance in which a caller may be.
struct RegionTests {
  @Test(arguments: [1, 2, 3, 7, 64]) func everyTaskRunsOnce(threads: Int) {
    let ledger = Ledger(regions: 3000, width: 20)
    ledger.run("\(threads) threads") { _, count, task in
      Parallel.perform(count, threads: threads, task)
    }
    ledger.expectStillRight("\(threads) threads")
  }

  @Test func severalCallersAtOnce() {
    onThreads(6) {
      let ledger = Ledger(regions: 500, width: 20)
      ledger.run("6 callers") { _, count, task in Parallel.perform(count, threads: 3, task) }
      ledger.expectStillRight("6 callers")
    }
  }

  @Test func fromTasks() async {
    await withDiscardingTaskGroup { group in
      for _ in 0..<6 {
        group.addTask {
          let ledger = Ledger(regions: 500, width: 20)
          ledger.run("in a task") { _, count, task in Parallel.perform(count, threads: 3, task) }
          await Task.yield()
          ledger.expectStillRight("in a task")
        }
      }
    }
  }

  /// A region inside a task belongs to the task's thread; afterwards the caller may have threads again.
  @Test func nestedRegionsAreSerial() {
    let outer = Ledger(regions: 200, width: 5)
    let inner = Ledger(regions: 1000, width: 7)
    outer.run("outer") { region, count, task in
      // One more than the ledger's: a single task is no region.
      Parallel.perform(count + 1, threads: 3) { i in
        if i == count { return }
        task(i)
        let (thread, inside) = (thisThread, region * 5 + i)
        #expect(Parallel.allowance(3) == 1)
        Parallel.perform(inner.count(inside), threads: 3) { j in
          #expect(thisThread == thread)
          inner.enter(inside, j)
        }
        #expect(inner.isRight(inside))
        #expect(Parallel.allowance(3) == 1)
      }
      #expect(Parallel.allowance(3) == 3)
    }
  }

  /// A child made while workers stay in the parent computes alone; the parent goes on with them.
  @Test(.ownThread) func afterFork() async {
    await #expect(processExitsWith: .success) {
      let ledger = Ledger(regions: 4000, width: 20)
      func perform(_ region: Int) -> Bool {
        Parallel.perform(ledger.count(region), threads: 4) { ledger.enter(region, $0) }
        return ledger.isRight(region)
      }
      for fork in 0..<10 {
        let first = fork * 400
        for region in first..<first + 100 { #expect(perform(region)) }
        let thread = thisThread
        let outcome = inChild(meanwhile: { for i in 100..<300 { #expect(perform(first + i)) } }) {
          let isAlone = Atomic<Bool>(Parallel.allowance(4) == 1)
          for region in first + 300..<first + 400 {
            Parallel.perform(ledger.count(region), threads: 4) { i in
              if thisThread != thread { isAlone.store(false, ordering: .relaxed) }
              ledger.enter(region, i)
            }
          }
          return isAlone.load(ordering: .relaxed) && (first + 300..<first + 400).allSatisfy(ledger.isRight)
        }
        #expect(outcome == .succeeded)
      }
    }
  }
}
