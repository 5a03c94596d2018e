import FisherCommandLine
import FisherKit
import FisherRuntime

/// What a training suite trains: a network, random data, and the samples of a step.
struct Workload: Sendable {
  /// The spelling of a model.
  let network: String
  let batch: Int
  /// The optimizers measured unless others are asked for.
  let optimizers: [String]

  /// The classic deep autoencoder of Hinton and Salakhutdinov: ReLU, linear bottleneck and output.
  static let autoencoder = Workload(
    network: "autoencoder:784-1000-500-250-30-250-500-1000-784", batch: 1000,
    optimizers: ["adam", "adafisher", "mbf"])

  /// The perceptron on images of 32 × 32 × 3 of the iEF paper: much weight and few samples.
  static let perceptron = Workload(
    network: "mlp:3072-2048-2048-10", batch: 64, optimizers: ["adam", "ief"])

  static let standard = [autoencoder, perceptron]

  /// - Throws: ``UsageError`` unless the text is a model of linear layers.
  init(network text: String, batch: Int?) throws(UsageError) {
    let isAutoencoder: Bool
    do { isAutoencoder = try ModelSpec(text).isAutoencoder } catch { throw UsageError("--network: \(error)") }
    guard Self.widths(text).count >= 2 else {
      throw UsageError("--network: \(quoted(text)) is neither mlp:… nor autoencoder:…")
    }
    let standard = isAutoencoder ? Self.autoencoder : .perceptron
    self.init(network: text, batch: batch ?? standard.batch, optimizers: standard.optimizers)
    if let shortage = MachineMemory.shortage(bytes) {
      throw UsageError("--network and --batch: this \(shortage)")
    }
  }

  /// Of weights and gradients, and of what goes forward and comes back, in `Float`.
  private var bytes: Double {
    let widths = Self.widths(network).map(Double.init)
    let weights = zip(widths, widths.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
    return 8 * (weights + Double(batch) * widths.reduce(0, +))
  }

  private init(network: String, batch: Int, optimizers: [String]) {
    self.network = network
    self.batch = batch
    self.optimizers = optimizers
  }

  private static func widths(_ text: String) -> [Int] {
    (text.split(separator: ":").last ?? "").split(separator: "-").compactMap { Int($0) }
  }

  /// One subject for SGD and for each of the names, all with the same workspace.
  func subjects<S: KernelScalar>(_: S.Type, _ names: [String], _ run: TrainingRun) -> [StepSubject<S>] {
    do {
      let widths = Self.widths(network)
      let (first, last) = (widths[0], widths[widths.count - 1])
      let spec = try ModelSpec(network)
      let layers = try spec.layers(input: [first], outputs: last)
      let loss: Loss<MeanReduction> = spec.isAutoencoder ? .squaredError : .softmaxCrossEntropy()
      let trained = try Network<S>(input: [first], layers, loss: loss)
      var generator = KeyedGenerator(1)
      let inputs = Matrix<S>(rows: batch, columns: first) { _, _ in S(generator.unit()) }
      let labels: Labels<S> =
        spec.isAutoencoder ? .values(inputs) : .classes((0..<batch).map { _ in generator.below(last) })
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
