public import FisherOptimizers

extension Shampoo {
  /// Momentum, graft and update; for every axis of n elements the factor, the product with its root, and the root by
  /// eigenvectors.
  private static var cost: Cost {
    let (T1, T2) = (Formula.period("T₁", "statisticsPeriod"), Formula.period("T₂", "rootPeriod"))
    func axes(_ sizes: [Formula]) -> Formula { sizes.dropFirst().reduce(sizes[0], +) }
    func cubes(_ sizes: [Formula]) -> Formula { axes(sizes.map { $0 * $0 * $0 }) }
    func squares(_ sizes: [Formula]) -> Formula { axes(sizes.map { $0 * $0 }) }
    return Cost(
      [
        Cost.Part(.parameter, flops: 17 * .P, elements: 7 * .P),
        Cost.Part(
          .dense,
          flops: 2 * .P * axes([.I, .J]) + .P * axes([.I, .J]) / T1 + 17 * cubes([.I, .J]) / (3 * T2),
          elements: squares([.I, .J]) * (2 / T1 + 1)),
        Cost.Part(
          .convolution,
          flops: 2 * .P * axes([.I, .J, .K]) + .P * axes([.I, .J, .K]) / T1
            + 17 * cubes([.I, .J, .K]) / (3 * T2),
          elements: squares([.I, .J, .K]) * (2 / T1 + 1)),
        Cost.Part(
          .vector, flops: 2 * .P * .P + .P * .P / T1 + 17 * .P * .P * .P / (3 * T2),
          elements: .P * .P * (2 / T1 + 1)),
      ], note: "long axes count by their blocks")
  }

  public static let record = OptimizerRecord(
    name: "shampoo", title: "Shampoo",
    summary: "The gradient, multiplied on every axis by an inverse root of its second moments there.",
    paper: "Gupta, Koren & Singer: Shampoo, ICML 2018; Anil et al.: Scalable Second Order Optimization, 2020",
    hyperparameters: Shampoo.hyperparameters, invariances: [.lossScale, .unitPermutation, .sign], cost: cost,
    stateSize: "P for m, P for the graft; 2·n² for each axis of n elements",
    probes: [
      ["rootPeriod": 2, "startStep": 1],
      ["graft": "none", "rootPeriod": 3, "statisticsPeriod": 2, "beta1": 0],
      ["graft": "adagrad", "blockSize": 4, "rootPeriod": 7],
      ["graft": "sgd", "sides": "shorter", "beta2": 0.9],
      ["factors": "kl", "rootPeriod": 2, "beta2": 0.9], ["factors": "kl", "graft": "adam", "startStep": 1],
      ["root": "newton", "dampingForm": "absolute", "beta2": 1, "startStep": 1],
    ].map { (probe: [String: SettingValue]) in
      probe.merging(["lr": 0.02, "damping": 0.5, "weightDecay": 0.1]) { own, _ in own }
    },
    derivedSlots: ["P1", "P2", "P3"], sharedSlots: ["P1", "P2", "P3"], dependsOnStepNumber: true,
    weightDecay: .decoupled,
    treatsParametersApart: true)
}
