import FisherOptimizers

/// What the records of the four methods share.
extension SampleSpace where S == Double {
  static var needs: Needs { [.inputs, .outputGradients, .logitGradients] }

  /// All that belongs to a layer; a plain parameter has no samples' gradients.
  static var roles: Set<ParameterRole> { Set(ParameterRole.allCases).subtracting([.plain]) }

  /// Of a Gram matrix of `rows` rows, what is solved with it, and as many sums of gradients as `sums` says.
  static func cost(rows: Formula, grams: Formula, sums: Formula, note: String) -> Cost {
    Cost(
      [
        Cost.Part(.step, flops: rows * rows * rows / 3),
        Cost.Part(.dense, flops: grams * rows * rows * (.I + .J) + 2 * sums * rows * .P),
        Cost.Part(.parameter, flops: 5 * .P, elements: 3 * .P),
      ], note: note)
  }

  static var cost: Cost { cost(rows: .N, grams: 1, sums: 1, note: "2·P elements more for momentum") }

  static func learningRate(_ value: Double, _ source: String) -> Hyperparameter {
    Hyperparameter("lr", "α, for the sum of the losses", .number(value), .positive, source: source)
  }

  static var dampingMode: Hyperparameter {
    Hyperparameter(
      "dampingMode", "whether λ is relative to the Gram matrix or an absolute number", "relative",
      .choice(["relative", "absolute"]), source: "ours")
  }

  static func duplicates(_ value: Double) -> Hyperparameter {
    Hyperparameter(
      "duplicates", "leave out the shorter of two gradients with |cos| above this; 1 keeps all",
      .number(value),
      .closed(0, 1), source: "published code, training")
  }

  /// Ours: the paper has none of these but unit steps for EF and SF.
  static func postprocessing(normalizes: Bool) -> [Hyperparameter] {
    [
      Hyperparameter(
        "normalize", "take steps of length α", .flag(normalizes), .flag, source: "Wu et al. 2024, appendix H"),
      Hyperparameter("maxNorm", "the longest step; 0 for no limit", 0.0, .nonNegative, source: "ours"),
      Hyperparameter(
        "momentum", "μ of the heavy ball on the direction", 0.0, .halfOpen(0, 1), source: "ours"),
      Hyperparameter(
        "weightDecay", "γ: α·γ·θ is subtracted beside the step", 0.0, .nonNegative, source: "ours"),
    ]
  }
}
