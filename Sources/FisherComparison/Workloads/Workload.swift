import FisherKit

/// A problem that every method gets alike: data, network, batches, a budget of steps, and a target that was fixed before
/// any method was compared.
package struct Workload: Sendable {
  /// The element type of a run.
  package enum Element: String, Sendable { case f32, f64 }

  package let name: String
  /// What it is, in one sentence.
  package let summary: String
  package let element: Element
  package let layers: [Layer]
  package let batch: Int
  /// The steps of a run.
  package let budget: Int
  /// The test data are asked after every so many steps, and before the first.
  package let interval: Int
  /// The loss of the test data that is to be reached.
  package let target: Double
  let loss: Loss<MeanReduction>
  /// Made when first asked for, then kept.
  let data: @Sendable () -> DataSplit

  /// All that decides the bits of a run, as text: a record made with another one is not continued.
  package var definition: String {
    "\(summary) \(layers); \(element.rawValue), batch \(batch), \(budget) steps, tested every \(interval), "
      + "target \(target)"
  }

  /// The network without its weights.
  func network<S: KernelScalar>(_: S.Type) throws -> Network<S> {
    let shape = data().train.shape
    let input: SampleShape = shape.isImage ? [shape.channels, shape.height, shape.width] : [shape.count]
    return try Network<S>(input: input, layers, loss: loss)
  }

  /// A run that has not begun: weights and order of the batches follow from the seed, whatever the optimizer.
  package func trainer<S: KernelScalar>(
    _: S.Type, _ optimizer: any Optimizer, seed: UInt64, threads: Int
  ) throws -> Trainer<S> {
    var options = TrainingOptions()
    options.batchSize = batch
    options.seed = seed
    // The rate of the search is that of all steps: nobody is told how many there will be.
    options.schedule = "constant"
    options.epochs = 1_000_000
    options.threads = threads
    return try Trainer(
      try network(S.self), data(), optimizer: optimizer, options: options, registry: .installed)
  }
}
