import FisherLinearAlgebra
import FisherNetworks
import FisherOptimizers
import FisherPluginFirstOrder
import FisherPluginImprovedEmpiricalFisher
import FisherPluginKFAC
import FisherTraining
import Testing

/// y = (2·x₀ − x₁ + 3, 50·x₂), in units that are far from 1.
private enum Plane {
  static func data(_ count: Int, seed: UInt64) -> Dataset {
    var generator = KeyedGenerator(seed)
    let rows = (0..<count).map { _ in (0..<3).map { _ in Float(10 * generator.unit()) } }
    return Dataset(
      name: "plane", shape: ExampleShape(channels: 3), rows: rows,
      values: rows.map { [2 * $0[0] - $0[1] + 3, 50 * $0[2]] })
  }

  static let split = DataSplit(train: data(60, seed: 1), test: data(20, seed: 2))

  static func trainer<S: KernelScalar>(
    _: S.Type, _ optimizer: any Optimizer, _ data: DataSplit = split,
    _ change: (inout TrainingOptions) -> Void = { _ in }
  ) throws -> Trainer<S> {
    let network = try Network<S>(input: [3], [.linear(2)], loss: Loss<MeanReduction>.squaredError)
    return try Trainer(
      network, data, optimizer: optimizer,
      options: Clouds.options { options in
        options.epochs = 200
        options.schedule = "constant"
        options.normalizesTargets = true
        change(&options)
      }, registry: OptimizerRegistry([AdamW.self]))
  }
}

@Suite struct RegressionTests {
  /// A linear network becomes the plane, and its predictions have the units of the data.
  @Test func learnsThePlane() throws {
    for optimizer in [try AdamW(["lr": 0.05, "weightDecay": 0]), KFAC(), try NaturalGradient(["lr": 0.5])]
      as [any Optimizer]
    {
      let trainer = try Plane.trainer(Double.self, optimizer)
      let result = try trainer.run()
      #expect(
        result.bestTestAccuracy == nil && result.bestTestLoss < 1e-5, "\(type(of: optimizer)): \(result)")
      let got = trainer.predict([[1, 2, 3], [9, 0, 5]])
      for (got, wanted) in zip(got.array, [3, 150, 21, 250] as [Double]) {
        #expect(abs(got - wanted) < 0.3, "\(type(of: optimizer)): \(got), not \(wanted)")
      }
    }
  }

  /// The loss is half the squared distance in units of the deviation of the training targets.
  @Test func lossesAreInUnitsOfTheVariance() throws {
    let trainer = try Plane.trainer(Double.self, SGD())
    let test = Plane.split.test
    guard case .values(let learned, 2) = Plane.split.train.targets,
      case .values(let targets, 2) = test.targets
    else { return #expect(Bool(false)) }
    let outputs = try trainer.predict(test)
    var expected = 0.0
    for j in 0..<2 {
      let column = stride(from: j, to: learned.count, by: 2).map { Double(learned[$0]) }
      let mean = column.reduce(0, +) / 60
      let variance = column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 60
      for i in 0..<20 {
        let distance = Double(outputs[i, j]) - Double(targets[2 * i + j])
        expected += 0.5 * distance * distance / variance / 20
      }
    }
    #expect(try abs(trainer.evaluate().loss - expected) < 1e-5 * expected)
    #expect(try trainer.evaluate(on: test) == trainer.evaluate())
  }

  /// Without it the targets are as they stand in the data.
  @Test func targetsMayStayAsTheyAre() throws {
    let trainer = try Plane.trainer(Double.self, SGD()) { $0.normalizesTargets = false }
    let source = BatchSource(Plane.split.train, batchSize: 4, normalization: nil)
    let batch = try source.batch(0, as: Double.self)
    guard case .values(let values, _) = Plane.split.train.targets else { return }
    #expect(batch.values?.array == values[..<8].map { Double($0) } && batch.classes.isEmpty)
    #expect(try trainer.evaluate().loss > 1000)
  }

  /// Parts of a batch make the step of the whole batch.
  @Test func microBatchesMakeTheSameStep() throws {
    let (whole, parts) = (
      try Plane.trainer(Double.self, SGD()), try Plane.trainer(Double.self, SGD()) { $0.microBatchSize = 3 }
    )
    for _ in 0..<4 {
      try whole.step()
      try parts.step()
    }
    for (a, b) in zip(whole.values, parts.values) {
      #expect(zip(a.array, b.array).allSatisfy { abs($0 - $1) < 1e-13 })
    }
  }

  @Test func placesAreChosenAndAppended() throws {
    let all = Plane.split.test
    let part = all.selecting([3, 1], name: "part")
    guard case .values(let chosen, 2) = part.targets, case .values(let values, 2) = all.targets else {
      return
    }
    #expect(chosen == [values[6], values[7], values[2], values[3]] && part.outputCount == 2)
    #expect(
      try part.appending(part).count == 4
        && part.appending(part).targets.selecting([2, 3], of: 4) == part.targets)
    #expect(all.identity != Plane.data(20, seed: 3).identity)
  }

  @Test func aNetworkOfAnotherWidthIsRefused() throws {
    let network = try Network<Float>(input: [3], [.linear(3)], loss: Loss<MeanReduction>.squaredError)
    let error = #expect(throws: TrainingError.self) { try Trainer(network, Plane.split, optimizer: SGD()) }
    #expect(error?.description == "the network gives 3, plane wants 2 numbers")
  }
}

/// Sequences of tokens with an answer at each position: the token itself.
@Suite struct SequenceTests {
  private func data(_ count: Int, seed: UInt64) -> Dataset {
    var generator = KeyedGenerator(seed)
    let sequences = (0..<count).map { _ in (0..<5).map { _ in generator.below(7) } }
    return Dataset(name: "copy", sequences: sequences, vocabulary: 7, classes: sequences, classCount: 7)
  }

  @Test func tokensAreNotNormalizedAndEveryPositionCounts() throws {
    let split = DataSplit(train: data(40, seed: 1), test: data(9, seed: 2))
    #expect(split.train.answers == 5 && split.train.outputCount == 35 && split.train.vocabulary == 7)
    let network = try Network<Float>(input: [5], [.embedding(tokens: 7, width: 8), .linear(7)])
    for size in [nil, 3] {
      let trainer = try Trainer(
        network, split, optimizer: try AdamW(["lr": 0.05]),
        options: Clouds.options { options in
          options.epochs = 30
          options.microBatchSize = size
        })
      #expect(try trainer.run().bestTestAccuracy == 1)
      #expect(try trainer.predict(split.test).columns == 35)
    }
  }

  @Test func aNetworkWithOneAnswerIsRefused() throws {
    let split = DataSplit(train: data(40, seed: 1), test: data(9, seed: 2))
    let network = try Network<Float>(
      input: [5], [.embedding(tokens: 7, width: 8), .linear(7), .flatten])
    let error = #expect(throws: TrainingError.self) { try Trainer(network, split, optimizer: SGD()) }
    #expect(error?.description == "the network gives 35, copy wants 5 answers to an example")
  }
}
