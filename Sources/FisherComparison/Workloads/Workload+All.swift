import FisherCommandLine
import FisherKit
import FisherRuntime

extension Workload {
  /// Every workload, in the order of reports.
  ///
  /// Targets are losses that AdamW, after a search among a few settings, reaches in a fourth to nine tenths of the budget.
  /// They were fixed by trial runs of AdamW, on `digits-mlp` of four other methods too, before any comparison.
  package static let all: [Workload] =
    [
      digitsPerceptron, digitsConvolutions, spirals, curves,
      spectrum(decades: 2, target: 3e-2), spectrum(decades: 4, target: 3e-3),
      spectrum(decades: 6, target: 1e-3), recall, sorting, screenedPoisson,
    ] + (TextData.isPresent ? [text] : [])

  package static let digitsPerceptron = Workload(
    name: "digits-mlp", summary: "1437 + 360 handwritten digits of 8 × 8 pixels, a perceptron.",
    element: .f32, layers: [.flatten, .linear(128), .relu, .linear(64), .relu, .linear(10)], batch: 32,
    budget: 450, interval: 15, target: 0.15, loss: .standard, data: { Digits.split })

  /// Without batch norms: every sample has a gradient of its own, so that all methods can take part.
  static let digitsConvolutions = Workload(
    name: "digits-cnn", summary: "The same digits, two convolutions.", element: .f32,
    layers: [
      .convolution(16, size: 3, padding: 1), .relu, .maxPool(2), .convolution(32, size: 3, padding: 1), .relu,
      .maxPool(2), .flatten, .linear(10),
    ], batch: 32, budget: 450, interval: 15, target: 0.1, loss: .standard, data: { Digits.split })

  static let spirals = Workload(
    name: "spirals", summary: "512 + 256 points on two interleaved spirals, a perceptron.", element: .f32,
    layers: [.linear(32), .tanh, .linear(32), .tanh, .linear(2)], batch: 64, budget: 1200, interval: 20,
    target: 0.1, loss: .standard, data: { spiralData })

  /// A smaller form of the classic deep autoencoder.
  static let curves = Workload(
    name: "curves", summary: "2000 + 500 drawings of curves of 28 × 28 pixels, an autoencoder.",
    element: .f32,
    layers: [
      .flatten, .linear(100), .relu, .linear(25), .relu, .linear(6), .linear(25), .relu, .linear(100), .relu,
      .linear(784),
    ], batch: 100, budget: 600, interval: 20, target: 110, loss: .binaryCrossEntropy, data: { curveData })

  /// Linear least squares whose Hessian has eigenvalues from 1 down to 10^−decades.
  static func spectrum(decades: Int, target: Double) -> Workload {
    let condition = "1e\(decades)"
    return Workload(
      name: "spectrum-" + condition,
      summary:
        "2048 + 512 examples of least squares with a linear teacher, Hessian of condition \(condition).",
      element: .f64, layers: [.linear(32)], batch: 64, budget: 600, interval: 10, target: target,
      loss: .squaredError, data: { SpectrumData.split(decades: decades) })
  }

  static let recall = Workload(
    name: "recall", summary: "4096 + 512 sequences of four pairs and four questions, a decoder of width 32.",
    element: .f32, layers: decoder("gpt:32-2-4", positions: 12, tokens: 16), batch: 64, budget: 400,
    interval: 10, target: 0.05, loss: .standard, data: { recallData })

  static let sorting = Workload(
    name: "sorting", summary: "4096 + 512 sequences of six digits to be sorted, a decoder of width 32.",
    element: .f32, layers: decoder("gpt:32-2-4", positions: 12, tokens: 11), batch: 64, budget: 600,
    interval: 20, target: 0.03, loss: .standard, data: { sortingData })

  static let screenedPoisson = Workload(
    name: "screened-poisson",
    summary: "A physics-informed network for −u″/64 + u = f on a circle, 256 + 256 points.",
    element: .f64, layers: physicsInformed, batch: 64, budget: 1600, interval: 20, target: 1e-4,
    loss: .squaredError, data: { ScreenedPoisson.split })

  /// The text is what this machine has, so that records of it hold on this machine.
  static let text = Workload(
    name: "text",
    summary: "The licences that Debian installs, by characters, 64 at a time, a decoder of width 64.",
    element: .f32, layers: decoder("gpt:64-2-4", positions: 64, tokens: textData?.train.vocabulary ?? 1),
    batch: 16,
    budget: 600, interval: 50, target: 2, loss: .standard, data: { textData ?? recallData })

  private static func decoder(_ model: String, positions: Int, tokens: Int) -> [Layer] {
    layers(model, [positions], outputs: positions * tokens, vocabulary: tokens)
  }

  private static let physicsInformed = layers("pinn:16-16", [3], outputs: 1, vocabulary: nil)

  private static func layers(_ model: String, _ input: SampleShape, outputs: Int, vocabulary: Int?) -> [Layer]
  {
    do {
      return try ModelSpec(model).layers(input: input, outputs: outputs, vocabulary: vocabulary)
    } catch { fatalError("Workload: \(error)") }
  }

  /// The workload of this name.
  ///
  /// - Throws: ``UsageError`` with the nearest names.
  package static func named(_ name: String) throws(UsageError) -> Workload {
    if let found = all.first(where: { $0.name == name }) { return found }
    throw UsageError(
      "unknown workload \(quoted(name))\(Spelling.hint(for: name, among: all.map(\.name)))")
  }

  private static let recallData = Sequences.recall()
  private static let sortingData = Sequences.sorting()
  private static let textData = try? DataSplit.named("text")
  private static let curveData = Curves.split(train: 2000, test: 500)
  private static let spiralData = Spirals.split(train: 512, test: 256)
}
