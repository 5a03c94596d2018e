import FisherOptimizers

extension AdaFisherMethod {
  /// The record of both forms.
  static func record(
    name: String, title: String, decay: Double, decoupled: Bool, summary: String
  ) -> OptimizerRecord {
    let paper = "Gomes et al. 2025"
    let code = "published code; the paper's values are the default"
    return OptimizerRecord(
      name: name, title: title, summary: summary,
      paper: "Gomes, Zhang, Belilovsky, Wolf & Hosseini: AdaFisher, ICLR 2025",
      needs: [.gradients, .captures, .logitGradients],
      hyperparameters: [
        Hyperparameter(
          "lr", "learning rate α; official 1e-3", 1e-2, .positive, source: "ours; official: published code"),
        Hyperparameter("beta", "β of the average of g", 0.9, .halfOpen(0, 1), source: paper),
        Hyperparameter(
          "lambda", "λ, added to S·H; official 1e-3", 1e-2, .positive,
          source: "ours; official: published code"),
        Hyperparameter(
          "weightDecay",
          decoupled ? "γ: α·γ·θ is subtracted beside the update" : "γ: γ·θ is added to the gradient",
          .number(decay), .nonNegative, source: decoupled ? "published code, vision transformers" : paper),
        Hyperparameter(
          "variant", "which of the two published algorithms; everything that says 'official' follows it",
          "paper",
          .choice(["paper", "official"]), source: paper),
        Hyperparameter(
          "refresh", "steps from one refresh of the factors to the next; official 100", 1, .atLeast(1),
          source: code),
        Hyperparameter(
          "keep", "how much of the old factors stays; official 0.08", 0.8, .closed(0, 1), source: code),
        Hyperparameter("mix", "the weight of new factors; official 0.008", 0.2, .closed(0, 1), source: code),
        Hyperparameter(
          "placement", "min-max scaling of what enters the average, or of what is read; official beforeEMA",
          "afterEMA", .choice(["afterEMA", "beforeEMA"]), source: code),
        Hyperparameter("minMaxEps", "ε of the scaling; official 1e-6", 0.0, .nonNegative, source: code),
        Hyperparameter(
          "convDivisor", "divide a convolution's H by the patch size too; official true", false, .flag,
          source: code),
        Hyperparameter(
          "fisher", "S of the gradients, or of those divided by ‖∂ℓ/∂z‖ of their sample", "empirical",
          .choice(["empirical", "improved"]), source: "paper; Wu et al. 2024, appendix D.2 (improved)"),
        Hyperparameter(
          "control", "a placebo instead of F̃: its geometric mean over the layer, or λ", "none",
          .choice(["none", "geometricMean", "lambda"]), source: "ours, for honest comparisons"),
      ],
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
      promises: [.gradientInTheLimit: ["lambda": 1e9]], clipping: .norm(10), dependsOnStepNumber: true
    )
  }
}
