import FisherKit
import FisherRuntime
import Testing

// Every built-in optimizer with its defaults on every kind of data that docs/training.md lists.

/// Data with the network and the loss that `fisher train` takes for them.
private struct TrainingCase: CustomStringConvertible, Sendable {
  let description: String
  /// Made once for all optimizers.
  let data: DataSplit
  let model: String
  var batch = 16

  static let all = [
    TrainingCase(
      description: "sequences", data: Sequences.recall(train: 160, test: 40), model: "gpt:16-1-2",
      batch: 4),
    TrainingCase(
      description: "a regression", data: regression, model: "mlp:3-128-64-1"),
    TrainingCase(description: "digits", data: Digits.split, model: "mlp:64-128-64-10"),
    TrainingCase(
      description: "curves", data: Curves.split(train: 2560, test: 128),
      model: "autoencoder:784-400-200-100-50-25-6-25-50-100-200-400-784", batch: 128),
    TrainingCase(
      description: "a table", data: clusters(ExampleShape(channels: 6), 3), model: "mlp:6-128-64-3"),
    TrainingCase(
      description: "images of 3×32×32",
      data: clusters(ExampleShape(channels: 3, height: 32, width: 32), 10), model: "mlp:3072-128-64-10"),
  ]

  private static let regression: DataSplit = {
    func examples(_ numbers: Range<Int>) -> Dataset {
      let rows = numbers.map { i in (0..<3).map { Float(sin(Double(i * 7919 + $0 * 104_729))) } }
      return Dataset(
        name: "plane", shape: ExampleShape(channels: 3), rows: rows,
        values: rows.map { [20 * $0[0] - 30 * $0[1] * $0[2]] })
    }
    return DataSplit(train: examples(0..<320), test: examples(320..<420))
  }()

  /// Scattered around a centre for each class.
  private static func clusters(_ shape: ExampleShape, _ classes: Int) -> DataSplit {
    func scatter(_ i: Int, _ j: Int) -> Float { Float(sin(Double(i * 7919 + j * 104_729))) }
    func examples(_ numbers: Range<Int>) -> Dataset {
      let rows = numbers.map { i in
        (0..<shape.count).map { scatter(-1 - i % classes, $0) + scatter(i, $0) / 2 }
      }
      return Dataset(
        name: "clusters", shape: shape, rows: rows, classes: numbers.map { $0 % classes }, classCount: classes
      )
    }
    return DataSplit(train: examples(0..<320), test: examples(320..<420))
  }
}

/// Within twenty steps the loss of the test data is finite and has fallen, or the first step is refused with the setting
/// to change.
@Test(arguments: TrainingCase.all, OptimizerRegistry.builtIn.records.map(\.name))
private func defaultsTrain(subject: TrainingCase, name: String) throws {
  let data = subject.data
  let shape = data.train.shape
  let loss: Loss<MeanReduction> =
    switch data.train.targets {
    case .classes: .standard
    case .values: .squaredError
    case .inputs: .binaryCrossEntropy
    }
  let network = try Network<Float>(
    input: [shape.count],
    try ModelSpec(subject.model).layers(
      input: [shape.count], outputs: data.train.outputCount, vocabulary: data.train.vocabulary),
    loss: loss)
  var options = TrainingOptions()
  options.batchSize = subject.batch
  options.normalizesTargets = true
  let type = try OptimizerRegistry.builtIn.type(name)
  let optimizer = type.init(settings: try Settings(type.record))
  do {
    let trainer = try Trainer(network, data, optimizer: optimizer, options: options, registry: .builtIn)
    let before = try trainer.evaluate().loss
    for _ in 0..<20 { try trainer.step() }
    let after = try trainer.evaluate().loss
    #expect(after < before && before.isFinite, "\(name) on \(subject): from \(before) to \(after)")
  } catch {
    // What a method cannot do it says.
    let isKnown =
      ["ngd", "spring"].contains(name) && "\(error)".contains("set a batch of at most 10")
      || name == "adahessian" && error is TrainingError && "\(error)".contains("has no second derivatives")
    #expect(isKnown, "\(name) on \(subject): \(error)")
  }
}

/// The bound that belongs to an optimizer is what a run uses that says nothing else.
@Test func runsTakeTheBoundOfTheirOptimizer() throws {
  func steps(_ clipping: Clipping?) throws -> [Double?] {
    let network = try Network<Float>(input: [64], [.linear(10)], loss: .standard)
    var options = TrainingOptions()
    options.clipping = clipping
    let trainer = try Trainer(network, Digits.split, optimizer: AdaFisher(), options: options)
    return try (0..<2).map { _ in try trainer.step().gradientNorm }
  }
  #expect(AdaFisher.record.clipping == .norm(10))
  #expect(try steps(nil) == steps(.norm(10)))
  #expect(try steps(nil).allSatisfy { $0 != nil })
  #expect(try steps(Clipping.none).allSatisfy { $0 == nil })
}
