public import FisherOptimizers

extension Muon {
  /// Momentum, norm and update of a matrix, and five iterations on its shorter side.
  private static var cost: Cost {
    Cost(
      [
        Cost.Part(
          .matrix, flops: 19 * .P + 15 * .P * .R + 5 * .R * .R * .R + 5 * .R * .R, elements: 5 * .P),
        Cost.Part(.vector, flops: 16 * .P, elements: 7 * .P),
      ], note: "embeddings and the head cost as vectors do")
  }

  public static let record = OptimizerRecord(
    name: "muon", title: "Muon", summary: "Momentum, replaced by the orthogonal matrix next to it.",
    paper: "Jordan et al.: Muon: An optimizer for hidden layers in neural networks, 2024",
    hyperparameters: Muon.hyperparameters, invariances: [.lossScale, .unitPermutation, .sign],
    cost: cost, stateSize: "P for a matrix, 2·P for the rest",
    probes: [
      [:], ["nesterov": false, "weightDecay": 0.1, "momentum": 0.7, "adamLr": 0.01],
      ["scale": "rootMeanSquare", "head": "muon", "iterations": 4],
    ], dependsOnStepNumber: true, treatsParametersApart: true,
    dependsOnOrder: true)
}
