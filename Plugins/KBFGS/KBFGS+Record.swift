public import FisherOptimizers

extension KBFGS {
  /// With the matrix H_g, after the first steps; see the table in KBFGS.md.
  private static var cost: Cost {
    Cost(
      [
        Cost.Part(.parameter, flops: 8 * .P, elements: 5 * .P),
        Cost.Part(
          .dense,
          flops: .N * .J * .J + 2 * .I * .J * (.I + .J) + 8 * .I * .I + 10 * .J * .J + 4 * .I * .J
            + 3 * .N * .J + 2 * .N * .I, elements: 2 * .I * .I + 4 * .J * .J + 4 * .I),
      ], note: "beside a second pass at the new weights, and J³ for a layer in each of the first steps")
  }

  public static let record = OptimizerRecord(
    name: "kbfgs", title: "K-BFGS",
    summary: "Quasi-Newton with a Kronecker-factored inverse Hessian for each layer.",
    paper: "Goldfarb, Ren & Bahamou: Practical Quasi-Newton Methods for Training Deep Neural Networks, "
      + "NeurIPS 2020",
    needs: [.gradients, .captures, .evaluation], hyperparameters: KBFGS.hyperparameters,
    invariances: [.unitPermutation, .sign, .rotation], cost: cost,
    stateSize: "I·J + 2·J² + I² for a layer of I outputs and J inputs; 2·p·I in the place of I² with p pairs",
    roles: [.linearWeight, .convolutionWeight, .bias],
    probes: [
      ["exactSteps": 1], ["memory": 5, "exactSteps": 3], ["sharing": "reduce", "pairBeta": 0],
      ["memory": 12, "momentum": 0, "beta": 0.5, "inverseDamping": 0.4],
    ].map { (probe: [String: SettingValue]) in
      ["lr": 0.05, "damping": 0.5, "weightDecay": 0.1].merging(probe) { $1 }
    },
    promises: [.gradientInTheLimit: ["damping": 1e14], .gradientOfOneSample: [:]],
    derivedSlots: ["Ha"], sharedSlots: ["Ha"], dependsOnStepNumber: true)
}
