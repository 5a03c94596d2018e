public import FisherOptimizers

extension TNT {
  /// The drawn gradient, its contractions and their inverses, a product an axis, momentum.
  private static var cost: Cost {
    let (T1, T2) = (Formula.period("T₁", "statisticsPeriod"), Formula.period("T₂", "refreshPeriod"))
    let squares = .I * .I + .J * .J as Formula
    return Cost(
      [
        Cost.Part(.parameter, flops: 7 * .P + 2 * .N * .P / T1, elements: 5 * .P),
        Cost.Part(
          .matrix,
          flops: .P * (.I + .J) / T1 + (.I * .I * .I + .J * .J * .J) / T2 + 2 * .P * (.I + .J),
          elements: squares + 2 * squares / T1),
        Cost.Part(
          .vector, flops: .P * .P / T1 + .P * .P * .P / T2 + 2 * .P * .P,
          elements: .P * .P + 2 * .P * .P / T1),
      ], note: "beside a second backward pass every T₁ steps for sampled labels")
  }

  public static let record = OptimizerRecord(
    name: "tnt", title: "TNT",
    summary: "Natural gradient where every parameter's gradient is taken as a tensor normal variable.",
    paper: "Ren & Goldfarb: Tensor Normal Training for Deep Learning Models, NeurIPS 2021",
    needs: [.gradients, .captures, .sampledLabels], hyperparameters: TNT.hyperparameters,
    invariances: [.unitPermutation, .sign, .rotation], cost: cost,
    stateSize: "P for momentum; 2·n² for every axis of n of each parameter",
    roles: [.linearWeight, .convolutionWeight, .bias, .normScale, .normShift],
    probes: [
      ["refreshPeriod": 4], ["statistics": "empirical", "statisticsPeriod": 2, "refreshPeriod": 3],
      ["placement": "after", "klClip": 0.01, "refreshPeriod": 1],
      ["momentum": 0, "beta": 0, "refreshPeriod": 2],
    ].map { (probe: [String: SettingValue]) in
      ["lr": 0.02, "damping": 0.5, "weightDecay": 0.1].merging(probe) { $1 }
    },
    derivedSlots: ["I0", "I1", "I2"], sharedSlots: ["I0", "I1", "I2"], clipping: .norm(10),
    dependsOnStepNumber: true)
}
