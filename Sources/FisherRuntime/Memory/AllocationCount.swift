/// How often this thread has taken memory for elements: matrices and scratch. For tests of the steady state.
package enum AllocationCount {
  package static var current: Int { ThreadContext.current.allocations }

  package static func increment() { ThreadContext.current.allocations += 1 }
}
