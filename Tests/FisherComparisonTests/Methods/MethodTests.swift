import FisherCommandLine
import FisherComparison
import FisherKit
import FisherRuntime
import Testing

@Suite struct MethodTests {
  @Test func everyOptimizerIsCompared() throws {
    let names = Method.standard.map(\.name)
    #expect(Set(names).isSuperset(of: OptimizerRegistry.builtIn.names) && Set(names).count == names.count)
    #expect(try Method("kfac:units").isPlacebo && !Method("kfac").isPlacebo)
    #expect(throws: UsageError.self) { try Method("kfac:lambda") }
    #expect(throws: UsageError.self) { try Method("adamw:units") }
    #expect(throws: UsageError.self) { try Method("mbf:units") }
    #expect(throws: UsageError.self) { try Method("adamwx") }
  }

  /// The clock gives a step all that it asks for.
  @Test(arguments: OptimizerRegistry.builtIn.names) func everyStepIsTimed(name: String) throws {
    let optimizer = try Method(name).optimizer(["lr": "1e-6"])
    let times = try StepClock<Float>(Workload.named("spirals"), optimizer, threads: 1).steps(2)
    #expect(times.forward > 0 && times.backward > 0 && times.optimizer > 0)
  }

  /// The same effort: as many settings for each, inside the axes, drawn by the same numbers.
  @Test func searchesCoverTheirAxes() throws {
    for record in OptimizerRegistry.builtIn.records {
      let space = SearchSpace(record)
      #expect(space.axes.first { $0.name == "lr" }?.factor == 30, "\(record.name)")
      #expect(space.setting(trial: 0).isEmpty)
      for trial in 1...50 {
        let setting = space.setting(trial: trial)
        _ = try Settings(record, parsing: setting)
        #expect(setting.count == space.axes.count)
        for axis in space.axes {
          let x = try #require(Double(setting[axis.name] ?? ""))
          #expect(x >= axis.center / axis.factor * 0.99 && x <= axis.center * axis.factor * 1.01)
        }
      }
    }
    func places(_ name: String) throws -> [Double] {
      let space = SearchSpace(try OptimizerRegistry.builtIn.type(name).record)
      return (1...20).map { log(Double(space.setting(trial: $0)["lr"]!)! / space.axes[0].center) }
    }
    for (x, y) in zip(try places("adamw"), try places("kfac")) { #expect(abs(x - y) < 0.02) }
  }

  /// In the shadow nothing is changed but what is said: with the identity in the place of the placebo, the bits of the
  /// weights are those of the method itself.
  @Test(arguments: ["kfac", "adamw", "ief", "mbf", "muon", "tnt"])
  func theShadowIsFaithful(name: String) throws {
    func hash(_ optimizer: any Optimizer) throws -> String {
      let trainer = try Workload.digitsPerceptron.trainer(Float.self, optimizer, seed: 3, threads: 1)
      for _ in 0..<25 { try trainer.step() }
      return trainer.parametersHash
    }
    let optimizer = try Method(name).optimizer([:])
    #expect(try hash(optimizer) == hash(optimizer.shadowed(by: .none)))
    if name == "kfac" || name == "tnt" {
      #expect(try hash(optimizer) != hash(optimizer.shadowed(by: .units)))
    }
    if name == "tnt" { #expect(try hash(optimizer) != hash(optimizer.shadowed(by: .samples))) }
    // The second moments of each side alone do not know who belongs to whom: only rounding tells.
    if name == "kfac" {
      func loss(_ optimizer: any Optimizer) throws -> Double {
        let trainer = try Workload.digitsPerceptron.trainer(Float.self, optimizer, seed: 3, threads: 1)
        for _ in 0..<3 { try trainer.step() }
        return try trainer.evaluate().loss
      }
      #expect(abs(try loss(optimizer) - loss(optimizer.shadowed(by: .samples))) < 1e-4)
    }
  }

  /// The gradient's direction and the method's length.
  @Test func normsAreTheMethods() {
    var generator = KeyedGenerator(5)
    func random() -> [Matrix<Double>] {
      [(3, 4), (1, 5)].map { rows, columns in
        Matrix(rows: rows, columns: columns) { _, _ in generator.unit() - 0.5 }
      }
    }
    let (old, moved, gradients) = (random(), random(), random())
    let new = Placebo.norm.taken(moved, from: old, gradients)
    func difference(_ a: [Matrix<Double>], _ b: [Matrix<Double>]) -> [Double] {
      zip(a, b).flatMap { zip($0.array, $1.array).map { $0 - $1 } }
    }
    let (step, own) = (difference(old, new), difference(old, moved))
    func length(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    #expect(abs(length(step) / length(own) - 1) < 1e-12)
    let g = gradients.flatMap(\.array)
    let cosine = zip(step, g).reduce(0) { $0 + $1.0 * $1.1 } / (length(step) * length(g))
    #expect(abs(cosine - 1) < 1e-12)
    let zeros = gradients.map { Matrix<Double>(rows: $0.rows, columns: $0.columns) }
    #expect(difference(Placebo.norm.taken(moved, from: old, zeros), old).allSatisfy { $0 == 0 })
  }

  /// Shuffled captures hold the same numbers, and second moments with the same eigenvalues (their sums and squares).
  @Test func shufflingKeepsWhatItShould() {
    var generator = KeyedGenerator(6)
    func random(_ rows: Int, _ columns: Int) -> Matrix<Double> {
      Matrix(rows: rows, columns: columns) { _, _ in generator.unit() }
    }
    let shape = ConvolutionGeometry(
      channels: 3, height: 2, width: 2, outputs: 5, kernelHeight: 1, kernelWidth: 1)
    let layer = LayerCapture<Double>(
      kind: .convolution(shape, hasBias: true), inputs: random(7, 12),
      outputGradients: .ofMean(random(7, 20), terms: 7), sampleCount: 7)
    let units = layer.shufflingUnits(key: 1)
    #expect(units.outputGradients.scaleToSum == 7 && units.outputGradients.scaleToMean == 1)
    for i in 0..<7 {
      // Positions of a channel stay together, in every row in the same place.
      func channels(_ m: Matrix<Double>) -> Set<[Double]> {
        Set((0..<m.columns / 4).map { c in (0..<4).map { m[i, 4 * c + $0] } })
      }
      #expect(channels(units.inputs) == channels(layer.inputs))
      #expect(channels(units.outputGradients.values) == channels(layer.outputGradients.values))
    }
    #expect(
      units.inputs.array != layer.inputs.array
        || units.outputGradients.values.array != layer.outputGradients.values.array)
    let samples = layer.shufflingSamples(step: 1)
    #expect(samples.inputs.array == layer.inputs.array)
    func rows(_ m: Matrix<Double>) -> Set<[Double]> {
      Set((0..<7).map { i in (0..<m.columns).map { m[i, $0] } })
    }
    #expect(rows(samples.outputGradients.values) == rows(layer.outputGradients.values))
    #expect(samples.outputGradients.values.array != layer.outputGradients.values.array)
  }
}
