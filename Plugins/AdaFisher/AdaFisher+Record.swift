public import FisherOptimizers

extension AdaFisherMethod {
  public static var record: OptimizerRecord {
    Decay.isDecoupled ? AdaFisherRecord.decoupled : AdaFisherRecord.coupled
  }
}

private enum AdaFisherRecord {
  static let coupled = record(
    AdaFisher.self, name: "adafisher", title: "AdaFisher",
    summary: "Divides the averaged gradient by the diagonal of a Kronecker-factored empirical Fisher matrix.",
    decay: .coupled)
  static let decoupled = record(
    AdaFisherW.self, name: "adafisherw", title: "AdaFisherW",
    summary: "AdaFisher with weight decay that is not divided by the Fisher matrix.", decay: .decoupled)

  private static func record(
    _ type: any Optimizer.Type, name: String, title: String, summary: String, decay: WeightDecay
  ) -> OptimizerRecord {
    OptimizerRecord(
      name: name, title: title, summary: summary,
      paper: "Gomes, Zhang, Belilovsky, Wolf & Hosseini: AdaFisher, ICLR 2025",
      needs: [.gradients, .captures, .logitGradients], hyperparameters: type.hyperparameters,
      invariances: [.unitPermutation, .sign],
      cost: Cost([
        Cost.Part(.parameter, flops: 12 * .P, elements: 5 * .P),
        Cost.Part(.dense, flops: (2 * .N * .I + 2 * .N * .J) / .period("refresh", "refresh")),
      ]),
      stateSize: "P + inputs + outputs of each layer",
      probes: [
        ["variant": "paper"], ["variant": "official", "refresh": 7],
        ["variant": "paper", "keep": 0.2, "mix": 0.8, "placement": "beforeEMA", "convDivisor": true],
        ["control": "geometricMean"], ["fisher": "improved", "refresh": 3],
      ].map { $0.merging(["lambda": 0.05, "lr": 0.01, "weightDecay": 0.1]) { $1 } },
      promises: [.gradientInTheLimit: ["lambda": 1e9]], clipping: .norm(10), dependsOnStepNumber: true,
      weightDecay: decay, treatsParametersApart: true)
  }
}
