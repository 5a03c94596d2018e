import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginFirstOrder
import FisherRuntime
import FisherTestSupport
import OptimizerTestSupport
import Testing

@Suite struct DriverTests {
  let trace = Trace(seed: Seed.first, steps: 12)

  private func run(
    _ driver: inout OptimizerDriver<Double>, _ values: inout [Matrix<Double>], _ steps: Range<Int>
  ) throws {
    for i in steps {
      var gradients = trace.matrices(trace.gradients[i], Double.self)
      _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Double>())
    }
  }

  @Test func groupsHaveTheirOwnSettingsAndOptimizers() throws {
    let groups = [
      ParameterGroup("token", isFrozen: true),
      ParameterGroup("*.bias", settings: ["lr": 0.5, "weightDecay": 0]),
      ParameterGroup("b.*", optimizer: try Lion(["lr": 0.25])),
    ]
    let adam = try Adam(["lr": 0.01, "weightDecay": 0.1])
    var driver = try OptimizerDriver<Double>(adam, parameters: trace.parameters, groups: groups)
    var values = trace.matrices(trace.values, Double.self)
    try run(&driver, &values, 0..<12)

    func alone(_ optimizer: any Optimizer) throws -> [[Double]] { try trace.run(optimizer, Double.self) }
    let (usual, bias, lion) = (
      try alone(adam), try alone(Adam(["lr": 0.5])), try alone(Lion(["lr": 0.25]))
    )
    for (i, parameter) in trace.parameters.enumerated() {
      let expected =
        parameter.name == "token"
        ? trace.values
        : parameter.name.hasSuffix(".bias") ? bias : parameter.name.hasPrefix("b.") ? lion : usual
      #expect(values[i].array == expected[i], "\(parameter.name)")
    }
    #expect(driver.log.contains("token: frozen"))
    #expect(driver.log.contains("b.weight: group b.*, lion"))
  }

  @Test func restoredStateContinuesWithTheSameBits() throws {
    let make = {
      try OptimizerDriver<Double>(
        AdamW(), parameters: trace.parameters, schedule: .cosine(steps: 12), averaging: 0.9)
    }
    var whole = try make()
    var values = trace.matrices(trace.values, Double.self)
    try run(&whole, &values, 0..<12)

    var first = try make()
    var halfway = trace.matrices(trace.values, Double.self)
    try run(&first, &halfway, 0..<5)
    var second = try make()
    second.restore(first.state)
    try run(&second, &halfway, 5..<12)
    #expect(halfway.map(\.array) == values.map(\.array))
    #expect(second.state.fingerprint == whole.state.fingerprint)
    #expect(first.state.fingerprint != whole.state.fingerprint)
  }

  @Test func refusedStepsChangeNothing() throws {
    var driver = try OptimizerDriver<Double>(Adam(), parameters: trace.parameters)
    var values = trace.matrices(trace.values, Double.self)
    try run(&driver, &values, 0..<3)
    let (oldValues, oldState) = (values.map(\.array), driver.state.fingerprint)

    for bad in [Double.nan, .infinity, -.infinity] {
      var gradients = trace.matrices(trace.gradients[3], Double.self)
      gradients[2][1, 4] = bad
      let refusal = #expect(throws: StepRefusal.self) {
        try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Double>())
      }
      #expect(refusal == .nonFiniteGradient(parameter: "b.weight", layer: "b", index: 22))
    }
    var gradients = trace.matrices(trace.gradients[3], Double.self)
    #expect(throws: StepRefusal.nonFiniteLoss(.infinity)) {
      try driver.step(
        values: &values, gradients: &gradients, objective: PlainObjective<Double>(loss: .infinity))
    }
    #expect(values.map(\.array) == oldValues && driver.state.fingerprint == oldState)
  }

  @Test func hugeButFiniteGradientsAreNotRefused() throws {
    let one = [ParameterInfo(name: "w", shape: [3], role: .plain)]
    var driver = try OptimizerDriver<Float>(Lion(), parameters: one)
    var values: [Matrix<Float>] = [[[1, 2, 3]]]
    var gradients: [Matrix<Float>] = [[[3e38, -3e38, 3e38]]]
    _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Float>())
    #expect(driver.stepCount == 1)
  }

  @Test func clipping() throws {
    let one = [ParameterInfo(name: "w", shape: [2], role: .plain)]
    func step(_ clipping: Clipping, _ gradient: Matrix<Double>) throws -> (array: [Double], norm: Double?) {
      var driver = try OptimizerDriver<Double>(
        try SGD(["lr": 1, "momentum": 0]), parameters: one, clipping: clipping)
      var values: [Matrix<Double>] = [[[0, 0]]]
      var gradients = [gradient]
      let report = try driver.step(
        values: &values, gradients: &gradients, objective: PlainObjective<Double>())
      return (values[0].array.map { -$0 }, report.gradientNorm)
    }
    #expect(try step(.none, [[3, -4]]).array == [3, -4])
    #expect(try step(.value(1), [[0.5, -4]]).array == [0.5, -1])
    #expect(try step(.norm(10), [[3, -4]]) == ([3, -4], 5))
    let clipped = try step(.norm(1), [[3, -4]])
    #expect(abs(clipped.array[0] - 0.6) < 1e-15 && abs(clipped.array[1] + 0.8) < 1e-15 && clipped.norm == 5)
  }

  @Test func averagesFollowTheWeights() throws {
    var driver = try OptimizerDriver<Double>(SGD(), parameters: trace.parameters, averaging: 0.75)
    var values = trace.matrices(trace.values, Double.self)
    var expected = trace.values
    for i in 0..<12 {
      try run(&driver, &values, i..<i + 1)
      for (p, value) in values.enumerated() {
        expected[p] = zip(expected[p], value.array).map { 0.75 * $0 + 0.25 * $1 }
      }
    }
    let averages = try #require(driver.averages).map(\.array)
    #expect(relativeError(averages, expected) < 1e-14)
  }

  @Test func accumulatedGradientsAreTheMeanOfAllSamples() {
    var accumulator = GradientAccumulator<Double>()
    accumulator.add([[[1, 2]], [[4]]], count: 3)
    accumulator.add([[[5, -2]], [[0]]], count: 1)
    #expect(accumulator.sampleCount == 4)
    #expect(accumulator.take().map(\.array) == [[2, 1], [3]])
    #expect(accumulator.sampleCount == 0)
  }

  @Test func needsAreThoseOfAllOptimizers() throws {
    let driver = try OptimizerDriver<Float>(Adam(), parameters: trace.parameters)
    #expect(driver.needs == .gradients)
  }
}
