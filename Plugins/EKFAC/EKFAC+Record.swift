public import FisherOptimizers

extension EKFAC {
  /// Both factors and their bases, four products with the gradient, the moments of a batch, momentum.
  private static var cost: Cost {
    let (T1, T2) = (Formula.period("T₁", "statisticsPeriod"), Formula.period("T₂", "refreshPeriod"))
    let squares = .I * .I + .J * .J as Formula
    return Cost(
      [
        Cost.Part(.parameter, flops: 9 * .P, elements: 5 * .P),
        Cost.Part(
          .dense,
          flops: .N * squares / T1 + 14 * (.I * .I * .I + .J * .J * .J) / 3 / T2
            + 4 * .I * .J * (.I + .J) + 2 * .N * squares + 2 * .N * .I * .J,
          elements: squares + 2 * squares / T1),
      ],
      note:
        "beside a second backward pass for sampled labels in every step; running moments take 2·N·(I² + J² + I·J) "
        + "less")
  }

  public static let record = OptimizerRecord(
    name: "ekfac", title: "EKFAC",
    summary: "K-FAC's eigenbasis with a second moment of its own for every coordinate.",
    paper: "George, Laurent, Bouthillier, Ballas & Vincent: Fast Approximate Natural Gradient Descent in a "
      + "Kronecker-factored Eigenbasis, NeurIPS 2018",
    needs: [.gradients, .captures, .sampledLabels], hyperparameters: EKFAC.hyperparameters,
    invariances: [.unitPermutation, .sign, .rotation], cost: cost,
    stateSize:
      "2·(J² + I²) + I + J for a layer of I outputs and J inputs; P for momentum, P for running moments",
    roles: [.linearWeight, .convolutionWeight, .bias],
    // ε well above S: eigenvectors of close eigenvalues amplify rounding, by their distance.
    probes: [
      ["refreshPeriod": 1], ["statistics": "empirical", "moments": "running", "refreshPeriod": 1],
      [
        "moments": "running", "placement": "before", "refreshPeriod": 4, "statisticsPeriod": 2,
        "momentDecay": 0.9,
      ],
      ["statistics": "empirical", "sharing": "reduce", "refreshPeriod": 1, "klClip": 0, "lr": 10],
      ["momentum": 0, "beta": 0, "refreshPeriod": 1],
    ].map { (probe: [String: SettingValue]) in
      ["lr": 30, "damping": 300, "weightDecay": 0.001].merging(probe) { $1 }
    },
    promises: [.gradientInTheLimit: ["damping": 1e9], .gradientOfOneSample: [:]],
    derivedSlots: ["UA", "UG", "a", "b"], sharedSlots: ["UA", "UG", "a", "b"],
    eigenbasis: Eigenbasis(left: "UG", right: "UA", areRows: true, following: ["S"]),
    dependsOnStepNumber: true)
}
