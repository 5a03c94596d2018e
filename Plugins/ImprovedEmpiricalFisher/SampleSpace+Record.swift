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
}
