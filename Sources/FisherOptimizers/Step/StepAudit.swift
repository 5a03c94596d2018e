/// Counts what a step does, for verification; a run has none.
package final class StepAudit {
  /// A running count of operations.
  private let operations: () -> Int
  /// Operations of planning and of the updates, without the driver's own checks.
  package private(set) var flops = 0
  /// Elements of parameters, directions and state that were read or written.
  package private(set) var elements = 0

  package init(operations: @escaping () -> Int) { self.operations = operations }

  /// What follows belongs to the optimizer, until ``end()``.
  func begin() { flops -= operations() }

  func end() { flops += operations() }

  func touched(_ count: Int) { elements += count }
}
