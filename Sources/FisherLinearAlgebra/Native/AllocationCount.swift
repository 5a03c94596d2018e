import Synchronization

/// How often memory for elements was taken in this process: matrices and scratch. For tests of the steady state.
package enum AllocationCount {
  private static let counter = Atomic<Int>(0)

  package static var current: Int { counter.load(ordering: .relaxed) }

  static func increment() { counter.add(1, ordering: .relaxed) }
}
