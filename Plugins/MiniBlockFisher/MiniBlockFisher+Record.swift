public import FisherOptimizers

extension MiniBlockFisher {
  /// Momentum, products with the blocks, statistics and inverses; see the table in MiniBlockFisher.md.
  private static var cost: Cost {
    let (T1, T2) = (Formula.period("T₁", "statisticsPeriod"), Formula.period("T₂", "inversePeriod"))
    return Cost([
      Cost.Part(.parameter, flops: 7 * .P, elements: 5 * .P),
      Cost.Part(
        .dense, flops: 2 * .I * .J * .J + .I * .J * .J / T1 + .J * .J * .J / T2,
        elements: .J * .J + .J * .J / T1 + 2 * .J * .J / T2),
      Cost.Part(
        .convolution, flops: 2 * .K * .P + 3 * (.K + 1) * .P / (2 * T1) + .P / T1 + .K * .K * .P / T2,
        elements: (.K + 1) * .P / 2 + (.K + 1) * .P / T1 + (.K + 1) * .P / T2),
    ])
  }

  public static let record = OptimizerRecord(
    name: "mbf", title: "MBF",
    summary: "Momentum preconditioned with the inverses of many small blocks of the empirical Fisher matrix.",
    paper: "Bahamou, Goldfarb & Ren: A Mini-Block Fisher Method for Deep Neural Networks, AISTATS 2023",
    needs: [.gradients, .captures, .logitGradients],
    hyperparameters: MiniBlockFisher.hyperparameters,
    invariances: [.unitPermutation, .sign, .rotation],
    cost: cost,
    stateSize:
      "P for M; (K + 1)·P for kernels of K taps, 2·(J + 1)² for a dense layer of J inputs; P for the rest",
    probes: [
      [:], ["dense": "perNeuron", "statisticsPeriod": 2, "inversePeriod": 3],
      ["statistics": "perSample", "inversePeriod": 4],
      ["statistics": "perSample", "dense": "perNeuron", "statisticsPeriod": 3, "inversePeriod": 5],
      ["statistics": "improved", "inversePeriod": 2], ["warmStart": 3, "inversePeriod": 2],
      ["beta": 0, "dense": "perNeuron", "inversePeriod": 2],
    ].map { (probe: [String: SettingValue]) in
      probe.merging(["lr": 0.02, "damping": 0.5, "weightDecay": 0.1]) { $1 }
    },
    promises: [
      .gradientInTheLimit: ["damping": 1e9], .gradientOfOneSample: [:],
      .separatesDiagonalProblems: ["statistics": "perSample"],
    ], derivedSlots: ["C"], sharedSlots: ["C"], clipping: .norm(10), dependsOnStepNumber: true,
    weightDecay: .decoupled,
    treatsParametersApart: true)
}
