import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginFirstOrder
import FisherPluginParts
import FisherVerification
import Testing

/// What parts do to any method, as equations between runs; bits where nothing is rounded otherwise.
@Suite struct PartTests {
  private let trace = Trace(seed: 7, steps: 9)

  private func run(_ optimizer: any Optimizer, _ trace: Trace? = nil) throws -> [[Double]] {
    try (trace ?? self.trace).run(optimizer, Double.self)
  }

  private func requireClose(_ a: any Optimizer, _ b: any Optimizer, within bound: Double = 1e-12) throws {
    let error = relativeError(try run(a), try run(b))
    #expect(error <= bound, "\(type(of: a).record.name): \(error)")
  }

  /// The weights that are tested after all steps but the last.
  private func tested(_ optimizer: any Optimizer) throws -> [[Double]] {
    var found: [[Double]] = []
    _ = try trace.run(optimizer, Double.self) { driver in
      found = driver.tested(trace.matrices(trace.values, Double.self)).map(\.array)
    }
    return found
  }

  private static let adam = Adam(lr: 0.01, weightDecay: 0.1)

  @Test func partsAtRestAreTheMethod() throws {
    let alone = try run(Self.adam)
    let resting: [any Optimizer] = [
      Self.adam.warmedUp(steps: 0), Self.adam.scheduled(.constant, steps: 3), Self.adam.clipped(norm: 1e9),
      Self.adam.clipped(value: 1e9), Self.adam.clipped(perLayer: 1e9), Self.adam.clipped(divergence: 1e9),
      Self.adam.decaying(0), Self.adam.averaged(0.9), Self.adam.averaged(from: 3),
      Self.adam.grafted(lengthOf: Self.adam), Self.adam.trusting(min: 1, max: 1),
    ]
    for optimizer in resting {
      #expect(try run(optimizer) == alone, "\(type(of: optimizer).record.name)")
    }
  }

  /// Where another method is the same thing.
  @Test func partsMakeKnownMethods() throws {
    try requireClose(
      SGD(lr: 0.1, momentum: 0).withMomentum(0.8), SGD(lr: 0.1, momentum: 0.8))
    try requireClose(
      SGD(lr: 0.1, momentum: 0).withMomentum(0.8, nesterov: true),
      SGD(lr: 0.1, momentum: 0.8, nesterov: true))
    try requireClose(Adam(lr: 0.1).decaying(0.3), AdamW(lr: 0.1, weightDecay: 0.3))
    try requireClose(
      AdamW(lr: 0.1, beta1: 0, weightDecay: 0.3).scheduleFree(0.9),
      ScheduleFreeAdamW(lr: 0.1, beta1: 0.9, beta2: 0.999, weightDecay: 0.3))
    // The direction of the one and the length of the other, which differs by a factor for each parameter.
    try requireClose(
      SGD(lr: 0.1, momentum: 0).grafted(lengthOf: SGD(lr: 0.3, momentum: 0)), SGD(lr: 0.3, momentum: 0))
  }

  @Test func averagesWithoutMemoryAreTheWeights() throws {
    let short = Trace(
      parameters: trace.parameters, values: trace.values, gradients: Array(trace.gradients.dropLast()),
      batches: trace.batches.map { $0.dropLast() })
    let weights = try run(Self.adam, short)
    #expect(try tested(Self.adam.averaged(0)) == weights)
    #expect(try tested(Self.adam.averaged(from: 8)) == weights)
    #expect(try tested(Self.adam.averaged(0.5)) != weights)
    // The average of the run, by the same rule.
    var driver = try OptimizerDriver<Double>(
      Self.adam, parameters: trace.parameters, averaging: 0.75, threads: 1)
    var values = trace.matrices(trace.values, Double.self)
    for gradients in short.gradients {
      var gradients = trace.matrices(gradients, Double.self)
      _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Double>())
    }
    #expect(try tested(Self.adam.averaged(0.75)) == driver.averages?.map(\.array))
  }

  @Test func partsThatCommute() throws {
    try requireClose(
      Self.adam.warmedUp(steps: 5).clipped(norm: 1), Self.adam.clipped(norm: 1).warmedUp(steps: 5))
    try requireClose(
      SGD(lr: 0.1).clipped(value: 0.5).withMomentum(0.5), SGD(lr: 0.1).withMomentum(0.5).clipped(value: 0.5))
    // A schedule inside of a trust ratio is taken back by it.
    try requireClose(
      SGD(lr: 0.1, momentum: 0).warmedUp(steps: 5).trusting(max: 1e9),
      SGD(lr: 0.1, momentum: 0).trusting(max: 1e9))
    let inside = try run(SGD(lr: 0.1, momentum: 0).warmedUp(steps: 5).trusting(max: 1e9))
    let outside = try run(SGD(lr: 0.1, momentum: 0).trusting(max: 1e9).warmedUp(steps: 5))
    #expect(relativeError(inside, outside) > 1e-3)
  }

  @Test func trustRatiosKnowNoScale() throws {
    let optimizer = SGD(lr: 0.1, momentum: 0).trusting(max: 1e9)
    let loud = Trace(
      parameters: trace.parameters, values: trace.values,
      gradients: trace.gradients.map { $0.map { $0.map { 1024 * $0 } } }, batches: trace.batches)
    #expect(relativeError(try run(optimizer, loud), try run(optimizer)) < 1e-12)
    // Each step has the length that it promises.
    let one = Trace(
      parameters: trace.parameters, values: trace.values, gradients: Array(trace.gradients.prefix(1)),
      batches: trace.batches.map { Array($0.prefix(1)) })
    for (new, old) in zip(try run(optimizer, one), trace.values) {
      #expect(abs(norm(difference(new, old)) / norm(old) - 0.1) < 1e-12)
    }
  }

  @Test func boundsHold() throws {
    // Without momentum a step of SGD is −α times the gradient that it was shown.
    func shown(_ optimizer: any Optimizer) throws -> [[Double]] {
      let one = Trace(
        parameters: trace.parameters, values: trace.values, gradients: Array(trace.gradients.prefix(1)),
        batches: trace.batches.map { Array($0.prefix(1)) })
      return zip(try run(optimizer, one), trace.values).map(difference)
    }
    let sgd = SGD(lr: 1, momentum: 0)
    #expect(try shown(sgd.clipped(value: 0.25)).joined().map(abs).max()! <= 0.25 + 1e-15)
    #expect(abs(norm(try shown(sgd.clipped(norm: 0.5)).flatMap { $0 }) - 0.5) < 1e-12)
    let layers = Dictionary(
      grouping: zip(trace.parameters, try shown(sgd.clipped(perLayer: 0.5))), by: { $0.0.layer ?? $0.0.name })
    for layer in layers.values { #expect(norm(layer.flatMap(\.1)) <= 0.5 + 1e-12) }
    // The divergence is a quadratic form: ν² times the step's own.
    func along(_ Δ: [[Double]]) -> Double {
      zip(Δ.joined(), trace.gradients[0].joined()).reduce(0) { (sum: Double, pair) in sum + pair.0 * pair.1 }
    }
    let (own, bounded) = (along(try shown(sgd)), along(try shown(sgd.clipped(divergence: 1e-3))))
    #expect(abs(bounded * bounded / abs(own) - 1e-3) < 1e-12)
  }

  /// Two sums with one μ: r·(r − μ)² − (r − μ)² + a·r² = 0 has its roots inside of the circle for a = α·h below
  /// (1 − μ²)·(1 − μ)²/μ², which is far below the 2·(1 + μ) of one.
  @Test(arguments: [0.5, 0.9]) func momentumTwiceIsStableForSmallStepsOnly(μ: Double) throws {
    func distance(_ a: Double, _ optimizer: (Double) -> any Optimizer, steps: Int = 4000) throws -> Double {
      let parameter = ParameterInfo(name: "x", shape: [1], role: .plain)
      var driver = try OptimizerDriver<Double>(optimizer(a), parameters: [parameter], threads: 1)
      var x = [Matrix<Double>([[1]])]
      var largest = 0.0
      for t in 0..<steps {
        var gradient = x
        _ = try driver.step(values: &x, gradients: &gradient, objective: PlainObjective<Double>())
        if t >= steps - 500 { largest = max(largest, abs(x[0][0, 0])) }
      }
      return largest
    }
    let twice = (1 - μ * μ) * (1 - μ) * (1 - μ) / (μ * μ)
    func both(_ a: Double) -> any Optimizer { SGD(lr: a, momentum: μ).withMomentum(μ) }
    func one(_ a: Double) -> any Optimizer { SGD(lr: a, momentum: 0).withMomentum(μ) }
    #expect(try distance(0.97 * twice, both) < 0.5 && distance(1.03 * twice, both) > 2)
    #expect(try distance(1.98 * (1 + μ), one) < 0.5 && distance(2.02 * (1 + μ), one, steps: 600) > 2)
  }

  @Test func cautionNeverClimbs() throws {
    var old = trace.values
    var moved = 0
    for t in 1...trace.gradients.count {
      let part = Trace(
        parameters: trace.parameters, values: trace.values, gradients: Array(trace.gradients.prefix(t)),
        batches: trace.batches.map { Array($0.prefix(t)) })
      let new = try run(Adam(lr: 0.1).cautious(), part)
      for (Δ, g) in zip(zip(new, old).map(difference).joined(), trace.gradients[t - 1].joined()) {
        #expect(Δ * g <= 0)
        if Δ != 0 { moved += 1 }
      }
      old = new
    }
    #expect(moved > 0)
    // Of a plain gradient nothing is held back.
    try requireClose(SGD(lr: 0.1, momentum: 0).cautious(), SGD(lr: 0.1, momentum: 0))
  }

  /// A step that is refused leaves weights and state of method and part.
  @Test func refusedStepsLeaveEverything() throws {
    let optimizer = Self.adam.withMomentum().cautious().averaged(0.5)
    var driver = try OptimizerDriver<Double>(optimizer, parameters: trace.parameters, threads: 1)
    var values = trace.matrices(trace.values, Double.self)
    func step(_ change: (Double) -> Double) throws {
      var gradients = trace.matrices(trace.gradients[0].map { $0.map(change) }, Double.self)
      _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Double>())
    }
    try step { $0 }
    let (weights, state) = (values, driver.state.fingerprint)
    #expect(throws: StepRefusal.self) { try step { _ in .nan } }
    // Squares that overflow inside of the method.
    #expect(throws: StepRefusal.self) { try step { $0 * 1e300 } }
    #expect(values == weights && driver.state.fingerprint == state)
    try step { $0 }
    #expect(values != weights)
  }

  private func difference(_ x: [Double], _ y: [Double]) -> [Double] { zip(x, y).map { $0 - $1 } }
  private func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
}
