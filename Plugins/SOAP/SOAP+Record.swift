public import FisherOptimizers

extension SOAP {
  /// Four products with bases and two factors a step; an iteration on each side, and four products for m, a period.
  private static var cost: Cost {
    let f = Formula.period("f", "basisPeriod")
    let (cubes, squares) = (Formula.I * .I * .I + .J * .J * .J, Formula.I * .I + .J * .J)
    return Cost(
      [
        Cost.Part(
          .matrix, flops: 14 * .P + 5 * .P * (.I + .J) + 4 * .P * (.I + .J) / f + 14 * cubes / (3 * f),
          elements: 7 * .P + 2 * .P / f + 3 * squares + 2 * squares / f),
        Cost.Part(.vector, flops: 14 * .P, elements: 7 * .P),
      ], note: "axes that are too long have no factor; factors=kl: 2·P·J flops more")
  }

  public static let record = OptimizerRecord(
    name: "soap", title: "SOAP", summary: "Adam in the eigenbasis of Shampoo's factors.",
    paper: "Vyas et al.: SOAP: Improving and Stabilizing Shampoo using Adam, ICLR 2025",
    hyperparameters: SOAP.hyperparameters, invariances: [.lossScale, .unitPermutation, .sign], cost: cost,
    stateSize: "2·P; 2·m² and 2·n² for an m×n matrix, m and n more with factors=kl",
    // Where eigenvalues agree, as the zeros of a factor of low rank do, eigenvectors are anyone's choice: bases that can be
    // compared come from small factors, or from one that is shifted.
    probes: [
      ["firstBasis": "iteration", "shift": 0.5, "basisPeriod": 2],
      ["firstBasis": "iteration", "shift": 0.5, "basisPeriod": 3, "weightDecay": 0.1, "factorBeta": 0.8],
      ["maxDimension": 5, "basisPeriod": 1],
      ["factors": "kl", "firstBasis": "iteration", "basisPeriod": 3],
      ["factors": "kl", "maxDimension": 5, "basisPeriod": 2, "damping": 0.1],
    ].map { (probe: [String: SettingValue]) in probe.merging(["lr": 0.01]) { own, _ in own } },
    derivedSlots: ["QL", "QR"], sharedSlots: ["QL", "QR"],
    eigenbasis: Eigenbasis(left: "QL", right: "QR", turning: ["m"], following: ["v"]),
    dependsOnStepNumber: true, treatsParametersApart: true)
}
