public import FisherOptimizers

extension FOOF {
  /// The input factor and its inverse, one product with the gradient, momentum.
  private static var cost: Cost {
    let (T1, T2) = (Formula.period("T₁", "statisticsPeriod"), Formula.period("T₂", "refreshPeriod"))
    return Cost([
      Cost.Part(.parameter, flops: 7 * .P, elements: 5 * .P),
      Cost.Part(
        .dense, flops: .N * .J * .J / T1 + .J * .J * .J / T2 + 2 * .I * .J * .J,
        elements: .J * .J + 2 * .J * .J / T1),
    ])
  }

  public static let record = OptimizerRecord(
    name: "foof", title: "FOOF",
    summary: "Gradient descent on the outputs of neurons: K-FAC without the factor of the output gradients.",
    paper:
      "Benzing: Gradient Descent on Neurons and its Link to Approximate Second-Order Optimization, ICML 2022",
    needs: [.gradients, .inputs], hyperparameters: FOOF.hyperparameters,
    invariances: [.unitPermutation, .sign, .rotation], cost: cost,
    stateSize: "2·J² for a layer of J inputs; P for momentum",
    roles: [.linearWeight, .convolutionWeight, .bias],
    probes: [
      ["refreshPeriod": 4], ["placement": "before", "statisticsPeriod": 2, "refreshPeriod": 3],
      ["sharing": "reduce", "refreshPeriod": 1, "klClip": 0.01],
      ["momentum": 0, "beta": 0, "refreshPeriod": 2],
    ].map { (probe: [String: SettingValue]) in
      ["lr": 0.02, "damping": 0.5, "weightDecay": 0.1].merging(probe) { $1 }
    },
    promises: [
      .gradientInTheLimit: ["damping": 1e9], .gradientOfOneSample: [:],
      .separatesDiagonalProblems: ["klClip": 0],
    ], derivedSlots: ["Ai"], sharedSlots: ["Ai"], dependsOnStepNumber: true)
}
