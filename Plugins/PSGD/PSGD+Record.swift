public import FisherOptimizers

extension PSGD {
  /// X, Y, their moments on both sides, two products with Q, and the direction.
  private static var cost: Cost {
    let (cubes, squares) = (Formula.I * .I * .I + .J * .J * .J, Formula.I * .I + .J * .J)
    return Cost(
      [
        Cost.Part(
          .matrix, flops: 13 * .P + 6 * .P * (.I + .J) + cubes + 18 * squares,
          elements: 5 * .P + 3 * .I * .I + 2 * .J * .J),
        Cost.Part(.vector, flops: 25 * .P, elements: 8 * .P),
      ], note: "in a step that updates all factors; axes that are too long have diagonal ones")
  }

  public static let record = OptimizerRecord(
    name: "psgd", title: "PSGD-Kron",
    summary: "The gradient, whitened on every axis by a triangular factor that is fitted step by step.",
    paper:
      "Li: Preconditioned Stochastic Gradient Descent, IEEE TNNLS 2018; Li: Preconditioner on Matrix Lie "
      + "Group for SGD, ICLR 2019",
    hyperparameters: PSGD.hyperparameters, invariances: [.lossScale], cost: cost,
    stateSize: "P; m² and n² for an m×n matrix, P for a vector",
    probes: [
      ["factorRate": 0.3], ["damping": 0.1, "flatSteps": 3, "shareDecay": 0.3, "weightDecay": 0.1],
      ["maxDimension": 5, "bound": 0.5, "seed": 7],
      ["beta": 0, "flatSteps": 0, "leastShare": 0.4, "shareDecay": 10],
    ].map { (probe: [String: SettingValue]) in probe.merging(["lr": 0.05]) { own, _ in own } },
    derivedSlots: ["Q1", "Q2"], dependsOnStepNumber: true, weightDecay: .decoupled)
}
