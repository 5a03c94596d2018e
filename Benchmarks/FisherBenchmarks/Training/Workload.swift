import FisherCommandLine
import FisherKit
import FisherRuntime

/// What a training suite trains: a network, random data, and the samples of a step.
package struct Workload: Sendable {
  /// The spelling of a model.
  let network: String
  package let batch: Int
  /// The optimizers measured unless others are asked for.
  package let optimizers: [String]

  /// The classic deep autoencoder of Hinton and Salakhutdinov: ReLU, linear bottleneck and output.
  static let autoencoder = Workload(
    network: "autoencoder:784-1000-500-250-30-250-500-1000-784", batch: 1000,
    optimizers: ["adam", "adafisher", "mbf"])

  /// The perceptron on images of 32 × 32 × 3 of the iEF paper: much weight and few samples.
  static let perceptron = Workload(
    network: "mlp:3072-2048-2048-10", batch: 64, optimizers: ["adam", "ief"])

  /// GPT-2's small form with random tokens: four sequences of 64. Asked for by its name.
  static let decoder = Workload(network: "gpt-tied:768-12-12", batch: 4, optimizers: ["adamw"])
  private static let context = 64
  private static let vocabulary = 50257

  static let standard = [autoencoder, perceptron]

  /// - Throws: ``UsageError`` unless the text is a model of linear layers or a decoder.
  package init(network text: String, batch: Int?) throws(UsageError) {
    let isAutoencoder: Bool
    do { isAutoencoder = try ModelSpec(text).isAutoencoder } catch { throw UsageError("--network: \(error)") }
    guard Self.widths(text).count >= 2, !text.hasPrefix("pinn") else {
      throw UsageError("--network: \(quoted(text)) is none of mlp:…, autoencoder:… and gpt:…")
    }
    let standard = isAutoencoder ? Self.autoencoder : Self.isDecoder(text) ? .decoder : .perceptron
    self.init(network: text, batch: batch ?? standard.batch, optimizers: standard.optimizers)
    if let shortage = MachineMemory.shortage(bytes) {
      throw UsageError("--network and --batch: this \(shortage)")
    }
  }

  /// Of weights and gradients, and of what goes forward and comes back, in `Float`.
  private var bytes: Double {
    let widths = Self.widths(network).map(Double.init)
    if Self.isDecoder(network) {
      let (width, blocks) = (widths[0], widths[1])
      let weights = 12 * blocks * width * width + 2 * Double(Self.vocabulary) * width
      let rows = Double(batch) * Double(Self.context) * (20 * blocks * width + Double(Self.vocabulary))
      return 8 * (weights + rows)
    }
    let weights = zip(widths, widths.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
    return 8 * (weights + Double(batch) * widths.reduce(0, +))
  }

  private init(network: String, batch: Int, optimizers: [String]) {
    self.network = network
    self.batch = batch
    self.optimizers = optimizers
  }

  private static func isDecoder(_ text: String) -> Bool { text.hasPrefix("gpt") }

  static func widths(_ text: String) -> [Int] {
    (text.split(separator: ":").last ?? "").split(separator: "-").compactMap { Int($0) }
  }

  /// One subject for SGD and for each of the names, all with the same workspace.
  package func subjects<S: KernelScalar>(_: S.Type, _ names: [String], _ run: TrainingRun) -> [StepSubject<S>]
  {
    do {
      let (widths, spec) = (Self.widths(network), try ModelSpec(network))
      let vocabulary = Self.isDecoder(network) ? Self.vocabulary : nil
      let (first, answers) = vocabulary == nil ? (widths[0], 1) : (Self.context, Self.context)
      let classes = vocabulary ?? widths[widths.count - 1]
      let layers = try spec.layers(input: [first], outputs: answers * classes, vocabulary: vocabulary)
      let loss: Loss<MeanReduction> = spec.isAutoencoder ? .squaredError : .softmaxCrossEntropy()
      let trained = try Network<S>(input: [first], layers, loss: loss)
      var generator = KeyedGenerator(1)
      let inputs = Matrix<S>(rows: batch, columns: first) { _, _ in
        vocabulary.map { S(generator.below($0)) } ?? S(generator.unit())
      }
      let labels: Labels<S> =
        spec.isAutoencoder
        ? .values(inputs) : .classes((0..<batch * answers).map { _ in generator.below(classes) })
      let workspace = trained.makeWorkspace(threads: run.threads)
      return try (["sgd"] + names.filter { $0 != "sgd" }).map { name in
        StepSubject(
          try Self.optimizer(name, run.registry), called: name, trained, inputs: inputs, labels: labels,
          workspace)
      }
    } catch {
      fatalError("Workload: \(error)")
    }
  }

  /// `adafisher`, or with settings: `adafisher:refresh=100:beta=0.8`.
  static func optimizer(_ text: String, _ registry: OptimizerRegistry) throws -> any Optimizer {
    let words = text.split(separator: ":").map(String.init)
    let type = try registry.type(words.first ?? "")
    // Small steps: weights that grow would change nothing in the time, but might stop being finite.
    let settings = try ["lr": "1e-6"].merging(Arguments.assignments(Array(words.dropFirst()))) { $1 }
    return type.init(settings: try Settings(type.record, parsing: settings))
  }
}
