public import FisherOptimizers

extension KFAC {
  /// Both factors and their inverses, two products with the gradient, momentum; see the table in KFAC.md.
  private static var cost: Cost {
    let (T1, T2) = (Formula.period("T₁", "statisticsPeriod"), Formula.period("T₂", "refreshPeriod"))
    let squares = .I * .I + .J * .J as Formula
    return Cost(
      [
        Cost.Part(.parameter, flops: 7 * .P, elements: 5 * .P),
        Cost.Part(
          .dense,
          flops: .N * squares / T1 + (.I * .I * .I + .J * .J * .J) / T2 + 2 * .I * .J * (.I + .J),
          elements: squares + 2 * squares / T1),
      ], note: "beside a second backward pass every T₁ steps for sampled labels")
  }

  public static let record = OptimizerRecord(
    name: "kfac", title: "K-FAC",
    summary: "Natural gradient with a Kronecker-factored Fisher matrix for each layer.",
    paper: "Martens & Grosse: Optimizing Neural Networks with Kronecker-factored Approximate Curvature, "
      + "ICML 2015",
    needs: [.gradients, .captures, .sampledLabels], hyperparameters: KFAC.hyperparameters,
    invariances: [.unitPermutation, .sign, .rotation], cost: cost,
    stateSize: "2·(J² + I²) for a layer of I outputs and J inputs; P for momentum",
    roles: [.linearWeight, .convolutionWeight, .bias],
    probes: [
      ["refreshPeriod": 4], ["placement": "before", "statisticsPeriod": 2, "refreshPeriod": 3],
      ["statistics": "empirical", "dampingSplit": "even", "refreshPeriod": 5],
      ["statistics": "empirical", "sharing": "reduce", "refreshPeriod": 1, "klClip": 0, "lr": 0.01],
      ["momentum": 0, "beta": 0, "refreshPeriod": 2],
    ].map { (probe: [String: SettingValue]) in
      ["lr": 0.05, "damping": 0.5, "weightDecay": 0.1].merging(probe) { $1 }
    },
    promises: [.gradientInTheLimit: ["damping": 1e14], .gradientOfOneSample: [:]],
    derivedSlots: ["Ai", "Gi"], sharedSlots: ["Ai", "Gi"], dependsOnStepNumber: true)
}
