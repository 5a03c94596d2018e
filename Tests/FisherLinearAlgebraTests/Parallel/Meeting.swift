import Foundation
import Synchronization
import Testing

/// A place where the tasks of a region wait for each other: all go on once so many threads are there at once.
final class Meeting: Sendable {
  private let expected: Int
  private let arrived = Atomic<Int>(0)

  init(of expected: Int) { self.expected = expected }

  /// Waits for the others.
  func attend() {
    arrived.add(1, ordering: .acquiringAndReleasing)
    #expect(waitUntil { self.arrived.load(ordering: .acquiring) >= self.expected })
  }
}

/// Waits for something that other threads do, 30 seconds at most.
func waitUntil(_ condition: () -> Bool) -> Bool {
  let deadline = ProcessInfo.processInfo.systemUptime + 30
  while !condition() {
    if ProcessInfo.processInfo.systemUptime > deadline { return false }
    sched_yield()
  }
  return true
}

/// A number for the calling thread.
var thisThread: UInt {
  #if canImport(Darwin)
    UInt(bitPattern: pthread_self())
  #else
    UInt(pthread_self())
  #endif
}
