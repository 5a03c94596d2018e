/// What a forward pass is for.
public enum PassMode: Sendable, Hashable {
  /// Dropout drops and batch norms use the batch. The same seed drops the same elements.
  case training(seed: UInt64)
  /// Nothing is random, and a sample's output does not depend on the others.
  case evaluation

  var isTraining: Bool { self != .evaluation }
}
