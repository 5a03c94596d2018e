import FisherCurvature
import FisherKit
import FisherLinearAlgebra
import FisherNetworks
import FisherOptimizers
import FisherPluginAdaFisher
import FisherPluginFirstOrder
import FisherPluginImprovedEmpiricalFisher
import FisherTraining
import Foundation
import Testing

/// A small problem that any of them learns: three clouds of points.
enum Clouds {
  static func split(train: Int = 50, test: Int = 21) -> DataSplit {
    DataSplit(train: data(train, seed: 1), test: data(test, seed: 2))
  }

  static func data(_ count: Int, seed: UInt64) -> Dataset {
    var generator = KeyedGenerator(seed)
    let classes = (0..<count).map { $0 % 3 }
    let rows = classes.map { label in
      (0..<4).map { j in Float(label == j ? 2 : 0) + Float(generator.unit()) }
    }
    return Dataset(
      name: "clouds", shape: ExampleShape(channels: 4), rows: rows, classes: classes, classCount: 3)
  }

  static func network<S: KernelScalar>(_: S.Type) throws -> Network<S> {
    try Network<S>(input: [4], [.linear(9), .relu, .linear(3)])
  }

  /// With running averages and masks: everything that a checkpoint must keep.
  static func normalized<S: KernelScalar>(_: S.Type) throws -> Network<S> {
    try Network<S>(input: [4], [.linear(9), .batchNorm, .relu, .dropout(0.2), .linear(3)])
  }

  static func options(_ change: (inout TrainingOptions) -> Void = { _ in }) -> TrainingOptions {
    var options = TrainingOptions()
    options.epochs = 5
    options.batchSize = 8
    options.threads = 1
    change(&options)
    return options
  }
}

@Suite struct TrainerTests {
  private func trainer<S: KernelScalar>(
    _: S.Type = Float.self, _ optimizer: any Optimizer, _ change: (inout TrainingOptions) -> Void = { _ in }
  ) throws -> Trainer<S> {
    try Trainer(
      Clouds.network(S.self), Clouds.split(), optimizer: optimizer, options: Clouds.options(change),
      registry: OptimizerRegistry([AdamW.self]))
  }

  @Test func learns() throws {
    for optimizer in [try AdamW(["lr": 0.02]), AdaFisher(), try SGD(["lr": 0.1])] as [any Optimizer] {
      let trainer = try trainer(Double.self, optimizer) { $0.epochs = 20 }
      var losses: [Double] = []
      let result = try trainer.run { event in
        if case .epoch(let report) = event { losses.append(report.trainLoss) }
      }
      #expect(result.bestTestAccuracy == 1, "\(type(of: optimizer))")
      #expect(losses.count == 20 && losses[19] < losses[0] / 3 && result.finalTrainLoss == losses[19])
      #expect(result.parametersHash == trainer.parametersHash && !result.stoppedEarly)
    }
  }

  /// A step is the driver's step on the batch of the epoch's order, and the epoch's loss is the mean over its samples.
  @Test func followsTheDefinition() throws {
    let trainer = try trainer(Double.self, try SGD(["lr": 0.1]))
    let network = trainer.network
    var driver = try OptimizerDriver<Double>(
      try SGD(["lr": 0.1]), parameters: network.parameters, schedule: .cosine(steps: 35))
    var values = network.initialValues(seed: 1)
    var gradients = network.zeros()
    let workspace = network.makeWorkspace(threads: 1)
    let data = Clouds.split().train
    let source = BatchSource(data, batchSize: 8, normalization: Normalization(data), seed: 1)
    for epoch in 0..<2 {
      let order = source.order(epoch: epoch)
      var sum = 0.0
      for i in 0..<7 {
        let batch = try source.batch(i, of: order, epoch: epoch, as: Double.self)
        let loss = workspace.forward(
          values, batch.inputs, .classes(batch.classes), mode: .training(seed: 0))
        workspace.backward(values, into: &gradients)
        _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective(loss: loss))
        sum += loss * Double(batch.inputs.rows)
        #expect(trainer.progress.batch == i)
        try trainer.step()
        #expect(trainer.values.map(\.array) == values.map(\.array))
        if i < 6 { #expect(trainer.progress.lossSum == sum) }
      }
      #expect(trainer.progress.trainLoss == sum / 50 && trainer.progress.epoch == epoch + 1)
    }
  }

  @Test(arguments: [1, 2, 7])
  func sameBitsForAnyThreads(threads: Int) throws {
    let split = Clouds.split(train: 900, test: 300)
    func hash(_ threads: Int) throws -> String {
      let network = try Network<Float>(input: [4], [.linear(200), .relu, .linear(150), .relu, .linear(3)])
      let trainer = try Trainer(
        network, split, optimizer: AdaFisher(),
        options: Clouds.options {
          $0.threads = threads
          $0.epochs = 1
          $0.batchSize = 300
        })
      return try trainer.run().parametersHash
    }
    #expect(try hash(threads) == hash(1))
  }

  @Test func seedsDecide() throws {
    func hash(_ seed: UInt64) throws -> String {
      try trainer(Float.self, AdamW()) { $0.seed = seed }.run().parametersHash
    }
    #expect(try hash(1) == hash(1))
    #expect(try hash(1) != hash(2))
  }

  /// Micro-batches are the same batch, in gradients and captures, up to rounding.
  @Test func microBatchesAreTheBatch() throws {
    for optimizer in [SGD(), AdaFisher()] as [any Optimizer] {
      let whole = try trainer(Double.self, optimizer)
      let parts = try trainer(Double.self, optimizer) { $0.microBatchSize = 3 }
      _ = try whole.run()
      _ = try parts.run()
      for (a, b) in zip(whole.values, parts.values) {
        for (x, y) in zip(a.array, b.array) { #expect(abs(x - y) < 1e-11) }
      }
      #expect(abs(whole.progress.trainLoss! - parts.progress.trainLoss!) < 1e-12)
    }
  }

  /// What a step asks for again is that of the whole batch, too: labels drawn from the model, the exact Fisher matrix.
  @Test func microBatchesAnswerAsTheBatch() throws {
    for optimizer in [SampledFisher(), NaturalGradient()] as [any Optimizer] {
      let whole = try trainer(Double.self, optimizer)
      let parts = try trainer(Double.self, optimizer) { $0.microBatchSize = 3 }
      for _ in 0..<4 {
        try whole.step()
        try parts.step()
      }
      for (a, b) in zip(whole.values, parts.values) {
        for (x, y) in zip(a.array, b.array) { #expect(abs(x - y) < 1e-10) }
      }
    }
  }

  @Test func lossesAtTheSameWeightsAreTheLoss() throws {
    for size in [nil, 3, 16] {
      let trainer = try trainer(Double.self, LossAsker()) { $0.microBatchSize = size }
      let report = try trainer.step()
      #expect(report.events == ["agreed": 1])
    }
  }

  /// What passes at weights that an optimizer asks about is what passes when they are the weights; those that it does not
  /// name stay.
  @Test(arguments: [nil, 3, 16])
  func capturesAtOtherWeights(size: Int?) throws {
    let trainer = try trainer(Double.self, CapturesAsker()) { $0.microBatchSize = size }
    let report = try trainer.step()
    #expect(report.events == ["the same at the same weights": 1, "others at others": 1, "inputs stay": 1])
  }

  /// Step by step, over the ends of epochs, a run is the run.
  @Test func stepsAreTheWholeLoop() throws {
    let whole = try trainer(Double.self, AdamW()) { $0.epochs = 3 }
    let result = try whole.run()
    let trainer = try trainer(Double.self, AdamW()) { $0.epochs = 3 }
    while !trainer.isFinished { try trainer.step() }
    #expect(trainer.parametersHash == result.parametersHash && trainer.progress.epoch == 3)
    #expect(trainer.progress.trainLoss == result.finalTrainLoss)
    #expect(trainer.progress.bestTestLoss == result.bestTestLoss)
    #expect(trainer.progress.seconds > 0)
    // Nothing stops those who go on.
    try trainer.step()
    #expect(trainer.progress.epoch == 3 && trainer.progress.batch == 1)
  }

  /// The same numbers whether the network adds its losses up or takes their mean.
  @Test func probesSpeakOfTheMean() throws {
    func probe<R: LossReduction>(_ loss: Loss<R>) throws -> Probe<Double> {
      let network = try Network<Double>(input: [4], [.linear(9), .relu, .linear(3)], loss: loss)
      return try Trainer(network, Clouds.split(), optimizer: SGD(), options: Clouds.options()).probe(
        count: 7)
    }
    let mean = try probe(Loss<MeanReduction>.softmaxCrossEntropy())
    let sum = try probe(Loss<SumReduction>.softmaxCrossEntropy())
    for (a, b) in zip(mean.gradient, sum.gradient) {
      for (x, y) in zip(a.array, b.array) { #expect(abs(x - y) < 1e-15) }
    }
    let direction = try mean.direction(of: SGD())
    for (a, b) in zip(direction, try sum.direction(of: SGD())) {
      for (x, y) in zip(a.array, b.array) { #expect(abs(x - y) < 1e-15) }
    }
    #expect(abs(mean.γ(direction) / sum.γ(direction) - 1) < 1e-13)
  }

  /// Sizes of any magnitude are one batch of all examples.
  @Test func batchesLargerThanTheDataAreTheData() throws {
    func hash(_ batch: Int, _ micro: Int?) throws -> String {
      let trainer = try trainer(Double.self, SGD()) {
        $0.batchSize = batch
        $0.microBatchSize = micro
        $0.epochs = 2
      }
      #expect(trainer.stepsPerEpoch == 1)
      return try trainer.run().parametersHash
    }
    let expected = try hash(50, nil)
    for (batch, micro) in [(51, nil), (Int.max, nil), (Int.max, Int.max), (50, Int.max)] {
      #expect(try hash(batch, micro) == expected)
    }
  }

  @Test func stopsEarly() throws {
    let trainer = try trainer(Double.self, try SGD(["lr": 1e-9])) {
      $0.epochs = 50
      $0.patience = 3
      $0.schedule = "constant"
    }
    let result = try trainer.run()
    #expect(result.stoppedEarly && trainer.progress.epoch == 4)
  }

  @Test func averagesAreWhatIsTested() throws {
    let trainer = try trainer(Double.self, try SGD(["lr": 0.1])) { $0.averaging = 0.9 }
    try trainer.step()
    #expect(trainer.testedValues.map(\.array) == trainer.driver.averages?.map(\.array))
    #expect(trainer.testedValues.map(\.array) != trainer.values.map(\.array))
  }

  @Test func capturesAreComputedOnlyWhenAsked() throws {
    let trainer = try trainer(Double.self, try AdaFisher(["refresh": 3]))
    var asked: [Bool] = []
    for _ in 0..<6 {
      asked.append(trainer.driver.needs.contains(.captures))
      try trainer.step()
    }
    #expect(asked == [true, false, false, true, false, false])
  }

  /// A weight that became infinite: the step is refused with the layer's name, and nothing has changed.
  @Test func nonFiniteLossesAreRefused() throws {
    for (position, layer) in [(0, "layers.0"), (2, "layers.2")] {
      let trainer = try trainer(Double.self, AdamW())
      try trainer.step()
      trainer.values[position][0, 0] = .nan
      let (values, state, progress) = (
        trainer.values.map { $0.array.map(\.bitPattern) }, trainer.state.fingerprint, trainer.progress
      )
      do {
        try trainer.step()
        Issue.record("took a step with a NaN among the weights")
      } catch {
        guard case .nonFiniteLoss(_, let place) = error else {
          Issue.record("\(error)")
          continue
        }
        #expect(place == layer && error.description.hasPrefix("layer \(layer): the loss is "))
      }
      #expect(trainer.values.map { $0.array.map(\.bitPattern) } == values)
      #expect(trainer.state.fingerprint == state && trainer.progress == progress)
    }
  }

  /// Running averages belong to the step: a refused one leaves them, too.
  @Test func refusedStepsLeaveTheStatistics() throws {
    let trainer = try Trainer(
      Clouds.normalized(Double.self), Clouds.split(), optimizer: SGD(), options: Clouds.options())
    try trainer.step()
    let statistics = trainer.statistics
    trainer.values[trainer.values.count - 1][0, 0] = .infinity
    #expect(throws: StepRefusal.self) { try trainer.step() }
    #expect(trainer.statistics == statistics)
    trainer.values[trainer.values.count - 1][0, 0] = 0
    try trainer.step()
    #expect(trainer.statistics != statistics)
  }

  @Test func wrongOptionsAreRefused() throws {
    let cases: [((inout TrainingOptions) -> Void, String)] = [
      ({ $0.epochs = 0 }, "epochs is 0; it must be at least 1"),
      ({ $0.batchSize = 0 }, "a batch of 0; it must have at least one sample"),
      ({ $0.microBatchSize = 0 }, "a micro-batch of 0; it must have at least one sample"),
      ({ $0.averaging = 1 }, "averaging is 1.0; it must lie in [0, 1)"),
      ({ $0.patience = 0 }, "patience is 0; it must be at least 1"),
      ({ $0.augmentations = [.flip] }, "clouds has no images that could be augmented"),
      ({ $0.clipping = .norm(0) }, "the limit of clipping is 0.0; it must be positive"),
      (
        { $0.clipping = .norm(1e-50) },
        "the limit of clipping is 1e-50, which becomes 0.0 in Float, the element type of the run"
      ),
      (
        { $0.clipping = .value(1e39) },
        "the limit of clipping is 1e+39, which becomes inf in Float, the element type of the run"
      ),
    ]
    for (change, message) in cases {
      let error = #expect(throws: TrainingError.self) { try trainer(Float.self, AdamW(), change) }
      #expect(error?.description == message)
    }
    let narrow = try Network<Float>(input: [3], [.linear(3)])
    let few = try Network<Float>(input: [4], [.linear(2)])
    for (network, message) in [
      (narrow, "the network takes 3 and clouds has 4×1×1"),
      (few, "the network gives 2, clouds wants 3 numbers"),
    ] {
      let error = #expect(throws: TrainingError.self) {
        try Trainer(network, Clouds.split(), optimizer: AdamW())
      }
      #expect(error?.description == message)
    }
  }

  /// A method that asks for what a layer has not is told so before the first step, by its name and the layer's, also where a
  /// group alone has it; the estimate that needs no second derivatives is taken.
  @Test func layersWithoutSecondDerivativesAreNamed() throws {
    let network = try Network<Float>(
      input: [4, 1], [.linear(6), .attention(heads: 2, causal: false), .flatten, .linear(3)])
    func make(_ optimizer: any Optimizer, _ groups: [ParameterGroup] = []) throws {
      let options = Clouds.options { $0.groups = groups }
      try Trainer(network, Clouds.split(), optimizer: optimizer, options: options, registry: .builtIn).step()
    }
    let group = ParameterGroup("layers.0.*", optimizer: AdaHessian())
    let cases: [(any Optimizer, [ParameterGroup], String)] = [
      (AdaHessian(), [], "adahessian"), (AdaHessian().cautious(), [], "adahessian + caution"),
      (SGD(), [group], "adahessian"),
      (try Sophia(["estimator": "hutchinson"]), [], "sophia"),
    ]
    for (optimizer, groups, name) in cases {
      let error = #expect(throws: TrainingError.self) { try make(optimizer, groups) }
      #expect(
        error?.description
          == "\(name) needs products of the Hessian, and the layer layers.1 has no second derivatives")
    }
    try make(Sophia())
  }

  @Test func rightAnswersAreTheLargest() {
    let outputs: Matrix<Float> = [[1, 3, 2], [5, 5, 4], [.nan, 1, 0], [.nan, .nan, .nan], [0, 1, .nan]]
    #expect(Trainer<Float>.rightAnswers(outputs, [1, 0, 1, 0, 1]) == 4)
    #expect(Trainer<Float>.rightAnswers(outputs, [0, 1, 0, 1, 2]) == 0)
  }
}

/// Asks for the loss at the weights where it is.
private struct LossAsker: Optimizer {
  static let record = OptimizerRecord(
    name: "loss-asker", title: "Loss asker", summary: "Moves nothing.", paper: "none", hyperparameters: [],
    invariances: [], cost: Cost([]), stateSize: "0")
  func needs(step number: Int) -> Needs { [.gradients, .evaluation] }

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let loss = try step.objective.loss(at: step.parameters.map { step.value($0) })
    if abs(loss - step.objective.loss) < 1e-14 { step.count("agreed") }
  }

  func reference() -> any ReferenceOptimizer { fatalError("no reference") }
}

/// Asks what passes through the layers at the weights where it is, and where one of them is another.
private struct CapturesAsker: Optimizer {
  static let record = OptimizerRecord(
    name: "captures-asker", title: "Captures asker", summary: "Moves nothing.", paper: "none",
    hyperparameters: [], invariances: [], cost: Cost([]), stateSize: "0")
  func needs(step number: Int) -> Needs { [.gradients, .captures, .evaluation] }

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let objective = step.objective
    let here = objective.captures!.layers
    func isSame(_ a: LayerCapture<S>, _ b: LayerCapture<S>) -> Bool {
      a.inputs == b.inputs && a.outputGradients.ofSum == b.outputGradients.ofSum
    }
    let again = try objective.captures(at: [:]).layers
    if here.allSatisfy({ isSame($0.value, again[$0.key]!) }) { step.count("the same at the same weights") }
    let first = step.parameters[0]
    let doubled = step.value(first).array.map { $0 + $0 }
    let values = [first.name: Matrix(doubled, rows: first.rows, columns: first.columns)]
    let there = try objective.captures(at: values).layers
    if !here.contains(where: { isSame($0.value, there[$0.key]!) }) { step.count("others at others") }
    let layer = first.layer!
    if here[layer]!.inputs == there[layer]!.inputs { step.count("inputs stay") }
  }

  func reference() -> any ReferenceOptimizer { fatalError("no reference") }
}
