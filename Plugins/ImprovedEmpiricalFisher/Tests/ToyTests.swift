import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginImprovedEmpiricalFisher
import FisherRuntime
import FisherTestSupport
import Testing

/// Two parameters and two samples: problems whose directions are known in closed form.
@Suite struct ToyTests {
  private func expectClose(
    _ a: [Double], _ b: [Double], _ tolerance: Double = 1e-10, _ location: SourceLocation = #_sourceLocation
  ) {
    let isClose = a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
    #expect(isClose, "\(a) and \(b)", sourceLocation: location)
  }

  /// f = θ₀ + θ₁·x through (0, 0) and (1, 0), half the squared error: the figure of Wu et al.'s first page.
  @Test(
    arguments: [
      ([1, -0.5], [1.5, 0.5], [1, 1]), ([0.6, 0.4], [1.6, 1], [1 / 0.6, 1 - 1 / 0.6]),
      ([-0.01, 1], [0.98, 0.99], [-100, 1 / 0.99 + 100]),
    ] as [([Double], [Double], [Double])])
  func leastSquares(θ: [Double], descent: [Double], ef: [Double]) throws {
    let model = LinearModel(
      .halfSquared, X: [[1, 0], [1, 1]], Y: [[0], [0]], W: Matrix(θ, rows: 1, columns: 2))
    expectClose(model.gradient, descent)
    expectClose(try model.direction(EmpiricalFisher.self), ef)
    // The improved, the natural and the Gauss-Newton step are one, and solve the problem.
    for type in [ImprovedEmpiricalFisher.self, NaturalGradient.self] as [any Optimizer.Type] {
      let Δ = try model.direction(type)
      expectClose(Δ, θ)
      expectClose(model.moved(by: Δ).losses, [0, 0])
    }
    expectClose(try model.direction(ImprovedEmpiricalFisher.self, ["variant": "B"]), θ)
  }

  /// p = σ(θ₀ + θ₁·x) with label 1 at x = 0 and label 0 at x = 2.
  @Test(
    arguments: [
      ([0, 0], [0, 1], [-2, 2], [-0.5, 0.5], [-2, 2]),
      (
        [1, 0.5], [0.6118557, 1.7615942], [-1.3678794, 4.8784678], [-0.2689414, 0.5748692],
        [-3.7182818, 2.4268086]
      ),
      (
        [0.5, -2], [-0.3482284, 0.0586245], [-1.6065307, 1.3183640], [-0.3775407, 0.2034264],
        [-2.6487213, 18.3820867]
      ),
    ] as [([Double], [Double], [Double], [Double], [Double])])
  func logistic(θ: [Double], descent: [Double], ngd: [Double], ief: [Double], ef: [Double]) throws {
    let model = LinearModel(
      .logistic, X: [[1, 0], [1, 2]], Y: [[1], [0]], W: Matrix(θ, rows: 1, columns: 2))
    // The values are printed to seven digits.
    expectClose(model.gradient, descent, 1e-7)
    expectClose(try model.direction(NaturalGradient.self), ngd, 1e-7)
    expectClose(try model.direction(ImprovedEmpiricalFisher.self), ief, 1e-7)
    expectClose(try model.direction(EmpiricalFisher.self), ef, 1e-7)
    // And to all digits from the formulas: Z⁻¹ times what each asks of the outputs.
    let r = model.residuals.array
    func solved(_ b: [Double]) -> [Double] { [b[0], (b[1] - b[0]) / 2] }
    let p = zip(r, model.Y.array).map { $0 + $1 }
    expectClose(
      try model.direction(NaturalGradient.self), solved(zip(r, p).map { $0 / ($1 * (1 - $1)) }))
    expectClose(try model.direction(ImprovedEmpiricalFisher.self), solved(r))
    expectClose(try model.direction(EmpiricalFisher.self), solved(r.map { 1 / $0 }))
  }

  /// More parameters than samples, one output: a step with η leaves (1 − η) of every residual.
  @Test func residualsShrinkTogether() throws {
    for seed in Seed.cases(3) {
      let model = LinearModel(
        .halfSquared, X: random(4, 6, seed), Y: random(4, 1, seed &+ 1), W: random(1, 6, seed &+ 2))
      let Δ = try model.direction(ImprovedEmpiricalFisher.self)
      expectClose(try model.direction(NaturalGradient.self), Δ)
      for η in [0.3, 1] {
        expectClose(model.moved(by: Δ, η).residuals.array, model.residuals.array.map { (1 - η) * $0 })
      }
    }
  }

  /// More samples than parameters: JᵀJ/s is the Gram matrix of the inputs, and one step is the least-squares solution.
  @Test func moreSamplesThanParameters() throws {
    for seed in Seed.cases(3) {
      let model = LinearModel(
        .halfSquared, X: random(9, 3, seed), Y: random(9, 1, seed &+ 1), W: random(1, 3, seed &+ 2))
      let A = (0..<3).map { i in
        (0..<3).map { j in (0..<9).reduce(0) { $0 + model.X[$1, i] * model.X[$1, j] } }
      }
      let solution = eliminate(
        A, (0..<3).map { i in (0..<9).reduce(0) { $0 + model.X[$1, i] * model.Y[$1, 0] } })
      // K is singular, so some damping is needed; it costs as much of the solution.
      for type in [ImprovedEmpiricalFisher.self, NaturalGradient.self] as [any Optimizer.Type] {
        var settings: [String: SettingValue] = ["damping": 1e-9]
        if type.record.name == "ief" { settings["variant"] = "B" }
        expectClose(model.moved(by: try model.direction(type, settings)).W.array, solution, 1e-6)
      }
    }
  }

  /// Along the flow every sample's loss falls as e^(−2t): theorem 5.4 with m = 1, where it is an equation. With one
  /// output a step of Euler's method leaves (1 − dt)² of it; with more, what is off halves with dt.
  @Test func squaredErrorsAlongTheFlow() throws {
    func run(outputs: Int, _ dt: Double, _ steps: Int) throws -> [Double] {
      var model = LinearModel(
        .halfSquared, X: random(4, 7, 3), Y: random(4, outputs, 4), W: random(outputs, 7, 5))
      let first = model.losses
      for _ in 0..<steps {
        model = model.moved(by: try model.direction(ImprovedEmpiricalFisher.self), dt)
      }
      return zip(model.losses, first).map { $0 / $1 }
    }
    let kept = (1...200).reduce(1.0) { kept, _ in kept * 0.99 * 0.99 }
    expectClose(try run(outputs: 1, 0.01, 200), [kept, kept, kept, kept])
    let (coarse, fine) = (try run(outputs: 2, 0.01, 200), try run(outputs: 2, 0.005, 400))
    for (coarse, fine) in zip(coarse, fine) {
      let errors = [coarse, fine].map { abs($0 - exp(-4)) }
      #expect(errors[0] < 0.1 * exp(-4) && abs(errors[0] / errors[1] - 2) < 0.1, "\(errors)")
    }
  }

  /// θ = A·φ: with more parameters than samples the shortest step depends on A, and what it does to the losses does not;
  /// where the samples determine every parameter, neither does.
  @Test func reparametrisation() throws {
    func check(_ X: Matrix<Double>, _ A: Matrix<Double>, _ type: any Optimizer.Type, λ: Double)
      throws -> (outputs: Double, parameters: Double)
    {
      let plain = LinearModel(
        .logistic, X: X, Y: Matrix(rows: X.rows, columns: 1) { n, _ in n % 2 == 0 ? 1 : 0 },
        W: random(1, X.columns, 9))
      // z = X·W = (X·A)·(A⁻¹·W).
      let W = eliminate((0..<A.rows).map { A.row($0).array }, plain.W.array)
      let other = LinearModel(
        plain.loss, X: X.multiplied(by: A), Y: plain.Y, W: Matrix(W, rows: 1, columns: W.count))
      let Δ = try plain.direction(type, ["damping": .number(λ)])
      let φ = try other.direction(type, ["damping": .number(λ)])
      let back = A.multiplied(by: Matrix(φ, rows: φ.count, columns: 1)).array
      func outputs(_ X: Matrix<Double>, _ Δ: [Double]) -> [Double] {
        X.multiplied(by: Matrix(Δ, rows: Δ.count, columns: 1)).array
      }
      return (difference(outputs(other.X, φ), outputs(X, Δ)), difference(back, Δ))
    }
    let A: Matrix<Double> = [[2, 1, 0, 0], [0, 1, -1, 0], [1, 0, 3, 0.5], [0, 0.2, 0, 0.7]]
    let types: [any Optimizer.Type] = [
      ImprovedEmpiricalFisher.self, EmpiricalFisher.self, NaturalGradient.self,
    ]
    for type in types {
      let wide = try check(random(3, 4, 11), A, type, λ: 0)
      #expect(wide.outputs < 1e-10 && wide.parameters > 1e-2, "\(type) \(wide)")
    }
    let tall = try check(random(9, 4, 12), A, NaturalGradient.self, λ: 1e-9)
    #expect(tall.outputs < 1e-6 && tall.parameters < 1e-6, "\(tall)")
  }

  private func difference(_ a: [Double], _ b: [Double]) -> Double {
    length(zip(a, b).map { $0 - $1 }) / length(b)
  }
}
