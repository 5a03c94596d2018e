/// What a run was worth after so many steps.
package struct Curve: Sendable, Equatable {
  /// Steps taken, rising.
  package private(set) var steps: [Int] = []
  /// The loss of the test data after each of them.
  package private(set) var losses: [Double] = []
  /// The fraction of right answers; empty if the data have no classes.
  package private(set) var accuracies: [Double] = []

  package init() {}

  package mutating func append(step: Int, loss: Double, accuracy: Double?) {
    steps.append(step)
    losses.append(loss)
    if let accuracy { accuracies.append(accuracy) }
  }

  /// The steps until the loss was first at most `target`; infinite if it never was. NaN is no loss.
  package func steps(to target: Double) -> Double {
    zip(steps, losses).first { $0.1 <= target }.map { Double($0.0) } ?? .infinity
  }

  /// The least loss; infinite if there was none.
  package var least: Double { losses.reduce(.infinity) { $1 < $0 ? $1 : $0 } }
}
