import FisherKit
import FisherVerification
import Testing

/// What no method may fail at: factors of rank 0 and 1, a gradient a million times as large, a layer that is never used.
@Suite struct DegenerateTests {
  static let names = OptimizerRegistry.builtIn.names

  /// Examples that are all alike but for their class, or zeros: every factor of a first layer has rank 1, or 0.
  private func data(_ pixel: Float) -> DataSplit {
    let rows = (0..<16).map { _ in (0..<6).map { pixel * Float($0 + 1) } }
    let set = Dataset(
      name: "alike", shape: ExampleShape(channels: 6), rows: rows,
      classes: (0..<16).map { $0 % 3 == 0 ? 0 : 1 },
      classCount: 3)
    return DataSplit(train: set, test: set)
  }

  private func trainer(
    _ name: String, _ layers: [Layer], _ data: DataSplit
  ) throws -> Trainer<Float> {
    let network = try Network<Float>(input: [6], layers)
    var options = TrainingOptions()
    (options.batchSize, options.normalizes) = (8, false)
    return try Trainer(
      network, data, optimizer: try OptimizerRegistry.builtIn.type(name).init([:]), options: options,
      registry: .builtIn)
  }

  @Test(arguments: names, [Float(0), 0.3])
  func samplesThatAreAlike(name: String, pixel: Float) throws {
    let trainer = try trainer(name, [.linear(5), .tanh, .linear(3)], data(pixel))
    let before = try trainer.evaluate().loss
    for _ in 0..<40 { try trainer.step() }
    #expect(trainer.values.allSatisfy { $0.isFinite })
    #expect(try trainer.evaluate().loss < before + 0.1, "\(name)")
  }

  /// No pixel is above 0: the first branch begins with zeros, its weight never has a gradient, and its factors have rank 1 and 0.
  @Test(arguments: names)
  func aDeadBranch(name: String) throws {
    let layers: [Layer] = [
      .residual([.relu, .linear(5, bias: false), .linear(4)], shortcut: [.linear(4)]), .tanh, .linear(3),
    ]
    let trainer = try trainer(name, layers, data(-0.3))
    for _ in 0..<40 { try trainer.step() }
    #expect(trainer.values.allSatisfy { $0.isFinite }, "\(name)")
  }

  /// One batch whose gradients, of parameters and in all captures, are a million times as large: before others, and after.
  @Test(arguments: names, [0, 6])
  func aSpike(name: String, place: Int) throws {
    let events = try run(name, steps: 14) { t, gradient, layers in
      let c: Double = t == place ? 1e6 : 1
      return (gradient.map { $0.map { c * $0 } }, layers.mapValues { $0.scaled(by: c) })
    }
    // Nothing has to be skipped, but what is skipped is counted: the run has taken all steps.
    #expect(events.values.allSatisfy { $0 > 0 })
  }

  /// A layer that is never used: no gradient in any step, and output gradients of zeros.
  @Test(arguments: names)
  func anUnusedLayer(name: String) throws {
    _ = try run(name, steps: 8) { _, gradient, layers in
      var (gradient, layers) = (gradient, layers)
      gradient[1] = gradient[1].map { _ in 0 }
      layers["unused"] = layers["unused"]?.scaled(by: 0)
      return (gradient, layers)
    }
  }

  /// A layer without captures: methods that average statistics of layers go on without and count it; those that need every
  /// sample's whole gradient refuse the step, and name the parameter.
  @Test(arguments: names)
  func aLayerWithoutCaptures(name: String) throws {
    let needsSamples = ["ief", "ef", "sf", "ngd", "spring"].contains(name)
    do {
      let events = try run(name, steps: 8) { _, gradient, layers in
        var gradient = gradient
        gradient[1] = gradient[1].map { _ in 0 }
        return (gradient, layers.filter { $0.key != "unused" })
      }
      #expect(!needsSamples)
      if ["kfac", "ekfac", "foof", "sophia"].contains(name) {
        #expect((events["layers without statistics"] ?? 0) > 0, "\(name): \(events)")
      }
    } catch let refusal as StepRefusal {
      #expect(needsSamples && "\(refusal)".contains("b: no layer with captures"), "\(name): \(refusal)")
    }
  }

  /// Steps in `Float` on two dense layers, the second named "unused", with random numbers that `change` sees before.
  ///
  /// - Returns: what was counted. Every step is taken, and weights stay finite.
  private func run(
    _ name: String, steps: Int,
    _ change: (
      _ step: Int, _ gradient: [[Double]], _ layers: [String: LayerCapture<Double>]
    ) -> ([[Double]], [String: LayerCapture<Double>])
  ) throws -> [String: Int] {
    let parameters = [
      ParameterInfo(name: "a", shape: [4, 6], role: .linearWeight, layer: "used"),
      ParameterInfo(name: "b", shape: [3, 5], role: .linearWeight, layer: "unused"),
    ]
    let trace = Trace(seed: 5, steps: steps, parameters: parameters)
    var driver = try OptimizerDriver<Float>(
      try OptimizerRegistry.builtIn.type(name).init([:]), parameters: parameters, registry: .builtIn)
    var values = trace.matrices(trace.values, Float.self)
    var events: [String: Int] = [:]
    for t in 0..<steps {
      let batch = trace.batches![t]
      func changed<Kind>(_ captures: Captures<Double, Kind>) -> Captures<Double, Kind> {
        Captures(change(t, trace.gradients[t], captures.layers).1)
      }
      let exact = try batch.exactFisher()
      let next = trace.batches![min(t + 1, steps - 1)]
      let second = changed(next.captures!)
      let objective = PlainObjective<Double>(
        sampleCount: batch.sampleCount, captures: changed(batch.captures!),
        outputGradients: batch.outputGradients, sampled: changed(try batch.sampledCaptures()),
        exact: ExactFisher(columns: exact.columns.map(changed), coefficients: exact.coefficients),
        secondPass: { _ in second }, hessian: batch.hessian)
      var gradients = trace.matrices(change(t, trace.gradients[t], [:]).0, Float.self)
      let report = try driver.step(
        values: &values, gradients: &gradients,
        objective: objective.converted(to: Float.self, needs: driver.needs))
      events.merge(report.events, uniquingKeysWith: +)
      #expect(values.allSatisfy { $0.isFinite }, "\(name), step \(t)")
    }
    return events
  }
}

extension LayerCapture where Scalar == Double {
  fileprivate func scaled(by c: Double) -> LayerCapture {
    let former = outputGradients
    let values = Matrix(
      former.values.array.map { c * $0 }, rows: former.values.rows, columns: former.values.columns)
    return LayerCapture(
      kind: kind, inputs: inputs,
      outputGradients: .ofMean(values, terms: Int((former.scaleToSum / former.scaleToMean).rounded())),
      sampleCount: sampleCount)
  }
}
