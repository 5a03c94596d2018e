import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginKBFGS
import OptimizerTestSupport
import Testing

/// Dense layer with a loss ½·aᵀCa − tᵀa of its pre-activations: the Hessian in them is C, whatever the weights.
struct QuadraticLayer: Sendable {
  let H, C, T: Matrix<Double>
  let layer: DenseLayer

  init(samples: Int, inputs: Int, _ C: Matrix<Double>) {
    (H, self.C) = (random(samples, inputs, 3), C)
    T = random(samples, C.rows, 4)
    layer = DenseLayer(H: H, D: Matrix(rows: samples, columns: C.rows))
  }

  /// Pre-activations at these weights, a row a sample.
  func activations(_ values: [String: Matrix<Double>]) -> Matrix<Double> {
    let product = H.multiplied(by: values["w"]!.transposed)
    let b = values["b"]!.array
    return Matrix(rows: product.rows, columns: product.columns) { product[$0, $1] + b[$1] }
  }

  func batch(_ values: [String: Matrix<Double>]) -> DenseLayer {
    let gradients = activations(values).multiplied(by: C)
    return DenseLayer(H: H, D: Matrix(rows: H.rows, columns: C.rows) { gradients[$0, $1] - T[$0, $1] })
  }

  /// ½·aᵀCa − tᵀa, in the mean.
  func loss(_ values: [String: Matrix<Double>]) -> Double {
    let a = activations(values)
    let product = a.multiplied(by: C)
    return zip(a.array, zip(product.array, T.array)).reduce(0) { $0 + $1.0 * (0.5 * $1.1.0 - $1.1.1) }
      / Double(H.rows)
  }

  static func named(_ values: [Matrix<Double>]) -> [String: Matrix<Double>] {
    ["w": values[0], "b": values[1]]
  }

  /// Takes a step with a second pass at whatever weights it asks for.
  func step(_ driver: inout OptimizerDriver<Double>, _ values: inout [Matrix<Double>]) throws {
    let batch = batch(Self.named(values))
    var gradients = zip(layer.parameters, batch.gradients).map {
      Matrix($1, rows: $0.rows, columns: $0.columns)
    }
    let objective = PlainObjective(
      captures: Captures(batch.layers), secondPass: { Captures(self.batch($0).layers) })
    _ = try driver.step(values: &values, gradients: &gradients, objective: objective)
  }

  var zeros: [Matrix<Double>] { layer.parameters.map { Matrix(rows: $0.rows, columns: $0.columns) } }

  func driver(_ optimizer: KBFGS) throws -> OptimizerDriver<Double> {
    try OptimizerDriver(optimizer, parameters: layer.parameters, threads: 1)
  }
}

@Suite struct KBFGSTests {
  private static let C: Matrix<Double> = [[2, 0.5, 0], [0.5, 1.5, -0.3], [0, -0.3, 1]]
  private let problem = QuadraticLayer(samples: 6, inputs: 4, C)

  private func mean(_ x: Matrix<Double>) -> Matrix<Double> {
    Matrix(rows: x.columns, columns: 1) { j, _ in (0..<x.rows).reduce(0) { $0 + x[$1, j] } / Double(x.rows) }
  }

  /// H_g⁺·y = s with s the change of the mean pre-activations by the step that was taken, and y = C·s.
  @Test(arguments: [0.0, 0.2])
  func secantEquation(decay: Double) throws {
    var (values, driver) = (
      problem.zeros, try problem.driver(KBFGS(damping: 0.1, weightDecay: decay, pairBeta: 0))
    )
    for _ in 0..<5 {
      let old = mean(problem.activations(QuadraticLayer.named(values)))
      try problem.step(&driver, &values)
      let new = mean(problem.activations(QuadraticLayer.named(values)))
      let s = Matrix<Double>(rows: 3, columns: 1) { i, _ in new[i, 0] - old[i, 0] }
      let Hg = driver.state.tensors[SlotKey("w", "Hg")]!
      #expect(relativeDifference(Hg.multiplied(by: Self.C.multiplied(by: s)).array, s.array) < 1e-10)
      #expect(Hg == Matrix(Hg.transposed.array, rows: 3, columns: 3))
    }
  }

  /// The memory keeps pairs with y = C·s, the newest last.
  @Test func pairsAreKept() throws {
    var (values, driver) = (problem.zeros, try problem.driver(KBFGS(damping: 0.1, pairBeta: 0, memory: 3)))
    var last = Matrix<Double>(rows: 3, columns: 3)
    for t in 1...5 {
      try problem.step(&driver, &values)
      let (s, y) = (driver.state.tensors[SlotKey("w", "S")]!, driver.state.tensors[SlotKey("w", "Y")]!)
      #expect(relativeDifference(s.multiplied(by: Self.C).array, y.array) < 1e-9)
      #expect(s.row(0).array == last.row(1).array && s.row(1).array == last.row(2).array)
      #expect(driver.state.scalars[SlotKey("w", "pairs")] == Double(min(t, 3)))
      last = s
    }
  }

  /// As long as no pair is forgotten, they make the same steps as the matrix.
  @Test func memoryIsTheMatrix() throws {
    func run(_ memory: Int) throws -> [Double] {
      var (values, driver) = (problem.zeros, try problem.driver(KBFGS(damping: 0.5, memory: memory)))
      for _ in 0..<8 { try problem.step(&driver, &values) }
      return values[0].array
    }
    #expect(relativeDifference(try run(8), try run(0)) < 1e-11)
    #expect(relativeDifference(try run(2), try run(0)) > 1e-6)
  }

  /// On a quadratic a dozen steps of α = 1 without averages are nearly there.
  @Test func convergesAsQuasiNewton() throws {
    func loss(_ optimizer: KBFGS, _ steps: Int) throws -> Double {
      var (values, driver) = (problem.zeros, try problem.driver(optimizer))
      for _ in 0..<steps { try problem.step(&driver, &values) }
      return problem.loss(QuadraticLayer.named(values))
    }
    let solution = try loss(KBFGS(lr: 1, damping: 1e-6, momentum: 0, pairBeta: 0), 400)
    let few = try loss(KBFGS(lr: 1, damping: 1e-6, momentum: 0, pairBeta: 0), 12)
    #expect(few - solution < 0.05 * abs(solution))
  }

  /// With one batch for all steps H_a is at its fixed point, the inverse, whether it is updated or computed.
  @Test func theInverseIsAFixedPoint() throws {
    func run(_ exactSteps: Int) throws -> Matrix<Double> {
      var (values, driver) = (problem.zeros, try problem.driver(KBFGS(damping: 0.5, exactSteps: exactSteps)))
      for _ in 0..<30 { try problem.step(&driver, &values) }
      return driver.state.tensors[SlotKey("w", "Ha")]!
    }
    #expect(relativeDifference(try run(1).array, try run(100).array) < 1e-12)
  }

  /// From any start H_a goes to (A + √λ·I)⁻¹, if A stays and h goes everywhere.
  @Test func theInverseIsFound() throws {
    let A: Matrix<Double> = [[2, 0.5, 0, 0.1], [0.5, 1, 0.2, 0], [0, 0.2, 0.5, 0], [0.1, 0, 0, 1]]
    let parameter = ParameterInfo(name: "w", shape: [2, 4], role: .linearWeight, layer: "l")
    let optimizer = KBFGS(damping: 0.25, beta: 1 - 1e-15)
    var driver = try OptimizerDriver<Double>(optimizer, parameters: [parameter], threads: 1)
    // So late that A hardly changes any more.
    driver.restore(
      OptimizerState(
        tensors: [SlotKey("w", "A"): A, SlotKey("w", "Ha"): Matrix(identity: 4)],
        stepCount: 1_000_000_000_000))
    var values = [Matrix<Double>(rows: 2, columns: 4)]
    for t in 0..<400 {
      let batch = DenseLayer(H: random(1, 4, UInt64(t)), D: random(1, 2, UInt64(900 + t)), hasBias: false)
      var gradients = [Matrix<Double>(rows: 2, columns: 4)]
      let captures = Captures<Double, Empirical>(batch.layers)
      _ = try driver.step(
        values: &values, gradients: &gradients,
        objective: PlainObjective(captures: captures, secondPass: { _ in captures }))
    }
    let damped = Matrix<Double>(rows: 4, columns: 4) { A[$0, $1] + ($0 == $1 ? 0.5 : 0) }
    let product = damped.multiplied(by: driver.state.tensors[SlotKey("w", "Ha")]!)
    #expect(distance(product, Matrix(identity: 4)) < 1e-6)
  }

  /// Whatever pairs come, both matrices stay symmetric and positive definite.
  @Test func staysPositiveDefinite() throws {
    let layer = DenseLayer(samples: 5, inputs: 4, outputs: 3)
    var driver = try OptimizerDriver<Double>(KBFGS(exactSteps: 1), parameters: layer.parameters, threads: 1)
    var values = layer.parameters.map { Matrix<Double>(rows: $0.rows, columns: $0.columns) }
    for t in 0..<200 {
      let batch = DenseLayer(samples: 5, inputs: 4, outputs: 3, seed: UInt64(10 + t))
      let next = Captures<Double, Empirical>(
        DenseLayer(samples: 5, inputs: 4, outputs: 3, seed: UInt64(11 + t)).layers)
      var gradients = zip(layer.parameters, batch.gradients).map {
        Matrix($1, rows: $0.rows, columns: $0.columns)
      }
      _ = try driver.step(
        values: &values, gradients: &gradients,
        objective: PlainObjective(captures: Captures(batch.layers), secondPass: { _ in next }))
      for slot in ["Hg", "Ha"] {
        let H = driver.state.tensors[SlotKey("w", slot)]!
        #expect(throws: Never.self, "\(slot) after \(t) steps") { try Cholesky(H) }
      }
    }
  }

  /// Nothing, one sample, a spike of a million, and a layer that is never used: what is skipped is counted.
  @Test(arguments: [0, 4])
  func ranksSpikesAndUnusedLayers(memory: Int) throws {
    let layer = DenseLayer(samples: 1, inputs: 6, outputs: 5)
    let spike = DenseLayer(H: layer.H, D: Matrix(layer.D.array.map { $0 * 1e6 }, rows: 1, columns: 5))
    let nothing = DenseLayer(H: Matrix(rows: 1, columns: 6), D: Matrix(rows: 1, columns: 5))
    let unused = ParameterInfo(name: "u", shape: [3, 2], role: .linearWeight, layer: "unused")
    var driver = try OptimizerDriver<Float>(
      KBFGS(memory: memory, exactSteps: 2), parameters: layer.parameters + [unused], threads: 1)
    var values = driver.parameters.map { Matrix<Float>(rows: $0.rows, columns: $0.columns) }
    var skipped = 0
    for t in 0..<40 {
      let batch = t == 10 ? spike : t < 2 ? nothing : layer
      let captures = Captures<Float, Empirical>(batch.layers.mapValues { $0.converted(to: Float.self) })
      var gradients = zip(driver.parameters, batch.gradients + [[Double](repeating: 0, count: 6)]).map {
        Matrix($1.map { Float($0) }, rows: $0.rows, columns: $0.columns)
      }
      let report = try driver.step(
        values: &values, gradients: &gradients,
        objective: PlainObjective(captures: captures, secondPass: { _ in captures }))
      #expect(report.events["layers without statistics"] == 1)
      skipped += report.events["pairs skipped"] ?? 0
    }
    // Of the unused layer every pair, two of them from step 3 on, and more of the batches without anything.
    #expect(skipped >= 40 + 38)
    #expect(values.allSatisfy(\.isFinite) && values[2].array.allSatisfy { $0 == 0 })
    #expect(values[0].array.contains { $0 != 0 })
  }

  /// A second pass that gives numbers that are none leaves H_g and its averages.
  @Test func aBrokenSecondPassIsSkipped() throws {
    var (values, driver) = (problem.zeros, try problem.driver(KBFGS()))
    for _ in 0..<3 { try problem.step(&driver, &values) }
    let before = driver.state
    let batch = problem.batch(QuadraticLayer.named(values))
    let broken = Captures<Double, Empirical>(
      DenseLayer(H: problem.H, D: Matrix(repeating: .nan, rows: 6, columns: 3)).layers)
    var gradients = zip(driver.parameters, batch.gradients).map {
      Matrix($1, rows: $0.rows, columns: $0.columns)
    }
    let report = try driver.step(
      values: &values, gradients: &gradients,
      objective: PlainObjective(captures: Captures(batch.layers), secondPass: { _ in broken }))
    #expect(report.events["pairs skipped"] == 1)
    for slot in ["Hg", "y"] {
      #expect(driver.state.tensors[SlotKey("w", slot)] == before.tensors[SlotKey("w", slot)])
    }
  }

  @Test func needsASecondPass() throws {
    let layer = problem.layer
    var run = try OptimizerRun<Double>(KBFGS(), layer.parameters)
    #expect(run.driver.needs == [.gradients, .captures, .evaluation])
    #expect(throws: StepRefusal.self) { try run.step(layer.gradients, layer.layers) }
  }
}
