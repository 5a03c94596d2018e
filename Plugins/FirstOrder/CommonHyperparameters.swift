import FisherOptimizers

extension Hyperparameter {
  /// α.
  static func learningRate(_ value: Double, source: String) -> Hyperparameter {
    Hyperparameter("lr", "learning rate α", .number(value), .positive, source: source)
  }

  /// γ, and whether it enters the gradient or shrinks the weights beside the update.
  static func weightDecay(_ value: Double, decoupled: Bool, source: String) -> Hyperparameter {
    Hyperparameter(
      "weightDecay", decoupled ? "γ: θ is multiplied with 1 − α·γ first" : "γ: γ·θ is added to the gradient",
      .number(value), .nonNegative, source: source)
  }

  /// A factor of a running average.
  static func average(_ name: String, _ meaning: String, _ value: Double, source: String) -> Hyperparameter {
    Hyperparameter(name, meaning, .number(value), .halfOpen(0, 1), source: source)
  }

  /// ε beside a denominator.
  static func epsilon(_ value: Double, source: String) -> Hyperparameter {
    Hyperparameter("eps", "ε, added to the denominator", .number(value), .nonNegative, source: source)
  }
}
