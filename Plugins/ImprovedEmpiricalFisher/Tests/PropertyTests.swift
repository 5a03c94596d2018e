import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginImprovedEmpiricalFisher
import FisherRuntime
import Testing

/// The method's equations, on the small network.
@Suite struct SampleSpacePropertyTests {
  let fixture = Fixture.golden

  private func expectClose(
    _ a: [Double], _ b: [Double], _ tolerance: Double, _ location: SourceLocation = #_sourceLocation
  ) {
    let scale = b.map(abs).max() ?? 0
    let worst = zip(a, b).map { abs($0 - $1) }.max() ?? 0
    #expect(a.count == b.count && worst <= tolerance * scale, "\(worst / scale)", sourceLocation: location)
  }

  private func ief(_ λ: Double, _ more: [String: SettingValue] = [:], _ fixture: Fixture? = nil) throws
    -> [Double]
  {
    try (fixture ?? self.fixture).direction(
      ImprovedEmpiricalFisher.self, ["damping": .number(λ), "duplicates": 1].merging(more) { $1 })
  }

  private func ef(_ λ: Double) throws -> [Double] {
    try fixture.direction(EmpiricalFisher.self, ["damping": .number(λ), "duplicates": 1])
  }

  private var s: [Double] { fixture.batch.outputGradients!.squaredNorms(samples: 4) }
  private var J: [[Double]] { fixture.rows(fixture.batch.captures!) }

  /// (Σₙ rowₙᵀrowₙ/metricₙ + λ·I)⁻¹·b in the space of the parameters.
  private func parameterSpace(_ rows: [[Double]], _ metric: [Double], _ λ: Double, _ b: [Double]) -> [Double]
  {
    let P = b.count
    var A = [[Double]](repeating: [Double](repeating: 0, count: P), count: P)
    for p in 0..<P {
      A[p][p] = λ
      for q in 0..<P {
        for (row, metric) in zip(rows, metric) { A[p][q] += row[p] * row[q] / metric }
      }
    }
    return eliminate(A, b)
  }

  private func weighted(_ rows: [[Double]], _ w: [Double]) -> [Double] {
    sum(zip(rows, w).map { row, w in row.map { $0 * w } })
  }

  /// k equal draws of the labels are one: neither F̂ nor its damping depends on k.
  @Test(arguments: ["relative", "absolute"])
  func equalDrawsAreOne(mode: String) throws {
    func sf(_ labels: Int) throws -> [Double] {
      try fixture.direction(
        SampledFisher.self,
        ["damping": 0.3, "dampingMode": .choice(mode), "labels": .integer(labels), "normalize": false])
    }
    let one = try sf(1)
    for labels in [2, 5] { expectClose(try sf(labels), one, 1e-10) }
  }

  @Test func undampedReductions() throws {
    expectClose(fixture.reductions(try ief(0)), s, 1e-10)
    expectClose(fixture.reductions(try ief(0, ["variant": "B"])), s, 1e-10)
    expectClose(fixture.reductions(try ef(0)), [1, 1, 1, 1], 1e-10)
  }

  @Test(arguments: ["ief", "ef"])
  func reductionsAreThoseOfTheLosses(name: String) throws {
    let Δ = name == "ief" ? try ief(0) : try ef(0)
    var moved = fixture
    let ε = 1e-7
    var offset = 0
    moved.values = fixture.values.map { value in
      let part = Δ[offset..<offset + value.count]
      offset += value.count
      return Matrix(zip(value.array, part).map { $0 - ε * $1 }, rows: value.rows, columns: value.columns)
    }
    expectClose(
      zip(fixture.losses, moved.losses).map { ($0 - $1) / ε }, name == "ief" ? s : [1, 1, 1, 1], 1e-5)
  }

  @Test func bothVariantsInTheSpaceOfTheParameters() throws {
    let ones = [Double](repeating: 1, count: 4)
    for λ in [1e-2, 1, 30] {
      let A = parameterSpace(J, ones, λ, weighted(J, s))
      let B = parameterSpace(J, s, λ, sum(J))
      expectClose(try ief(λ), A, 1e-10)
      expectClose(try ief(λ, ["variant": "B"]), B, 1e-10)
      #expect(zip(A, B).contains { abs($0 - $1) > 1e-3 * length(A) })
      expectClose(try ef(λ), parameterSpace(J, ones, λ, sum(J)), 1e-10)
      let Ĵ = fixture.rows(try fixture.batch.sampledCaptures())
      expectClose(
        try fixture.direction(SampledFisher.self, ["damping": .number(λ)]),
        parameterSpace(Ĵ, ones, λ, sum(J)), 1e-10)
      let V = try fixture.batch.exactFisher().columns.flatMap(fixture.rows)
      expectClose(
        try fixture.direction(NaturalGradient.self, ["damping": .number(λ)]),
        parameterSpace(V, V.map { _ in 1 }, λ, sum(J)), 1e-10)
    }
    expectClose(try ief(1e-12), try ief(1e-12, ["variant": "B"]), 1e-9)
  }

  @Test func largeDamping() throws {
    let λ = 1e9
    expectClose(try ef(λ).map { $0 * λ }, sum(J), 1e-7)
    expectClose(try ief(λ, ["variant": "B"]).map { $0 * λ }, sum(J), 1e-7)
    expectClose(try ief(λ).map { $0 * λ }, weighted(J, s), 1e-7)
    expectClose(
      try fixture.direction(SampledFisher.self, ["damping": .number(λ)]).map { $0 * λ }, sum(J), 1e-7)
    expectClose(
      try fixture.direction(NaturalGradient.self, ["damping": .number(λ)]).map { $0 * λ }, sum(J), 1e-7)
  }

  @Test func scaleOfTheLoss() throws {
    // ℓ → c·ℓ scales every output gradient: Δ(c²·λ) = c·Δ(λ) for iEF, Δ/c for EF. Relative damping follows by itself.
    let c = 4.0
    func run(_ type: any Optimizer.Type, _ factor: Double) throws -> [Double] {
      let batch = fixture.batch
      let scaled = PlainObjective<Double>(
        loss: 1, sampleCount: 4,
        captures: batch.captures!.mapGradients(to: Empirical.self) {
          $0.outputGradients.scaled(samplesBy: [Double](repeating: factor, count: 4))
        }, outputGradients: batch.outputGradients!.scaled(samplesBy: [Double](repeating: factor, count: 4)))
      let optimizer = try type.init(["lr": 1, "damping": 0.01, "normalize": false])
      var driver = try OptimizerDriver<Double>(optimizer, parameters: Fixture.parameters)
      var values = fixture.values
      var gradients = values
      _ = try driver.step(values: &values, gradients: &gradients, objective: scaled)
      return zip(fixture.values, values).flatMap { zip($0.array, $1.array).map { $0 - $1 } }
    }
    expectClose(
      try run(ImprovedEmpiricalFisher.self, c), try run(ImprovedEmpiricalFisher.self, 1).map { $0 * c }, 1e-12
    )
    expectClose(try run(EmpiricalFisher.self, c), try run(EmpiricalFisher.self, 1).map { $0 / c }, 1e-12)
  }

  @Test func orderOfTheSamples() throws {
    var other = fixture
    let order = [2, 0, 3, 1]
    other.X = Matrix(rows: 4, columns: 3) { n, j in fixture.X[order[n], j] }
    other.y = order.map { fixture.y[$0] }
    expectClose(try ief(1e-3, [:], other), try ief(1e-3), 1e-11)
  }

  @Test func exactlyFittedSample() throws {
    let batch = fixture.batch
    let factors = [1.0, 0, 1, 1]
    let fitted = PlainObjective<Double>(
      captures: batch.captures!.mapGradients(to: Empirical.self) {
        $0.outputGradients.scaled(samplesBy: factors)
      },
      outputGradients: batch.outputGradients!.scaled(samplesBy: factors))
    for type in [ImprovedEmpiricalFisher.self, EmpiricalFisher.self] as [any Optimizer.Type] {
      for variant in type.record.name == "ief" ? ["A", "B"] : [""] {
        let settings: [String: SettingValue] = ["lr": 1, "normalize": false, "damping": 0]
        let optimizer = try type.init(
          variant.isEmpty ? settings : settings.merging(["variant": .choice(variant)]) { $1 })
        var driver = try OptimizerDriver<Double>(optimizer, parameters: Fixture.parameters)
        var (values, gradients) = (fixture.values, fixture.values)
        _ = try driver.step(values: &values, gradients: &gradients, objective: fitted)
        let Δ = zip(fixture.values, values).flatMap { zip($0.array, $1.array).map { $0 - $1 } }
        let b = type.record.name == "ief" ? s : [1, 1, 1, 1]
        let found = fixture.reductions(Δ)
        for n in [0, 2, 3] { #expect(abs(found[n] - b[n]) < 1e-9, "\(type.record.name) \(n)") }
      }
    }
  }

  @Test func contradictingSamples() throws {
    // A row that is nearly −0.9 times another asks for the opposite step.
    let J = self.J
    let conflict = J[2].enumerated().map { -0.9 * $1 + 1e-5 * sin(Double($0)) }
    let rows = J + [conflict]
    let K = Matrix<Double>(rows.map { row in rows.map { dot(row, $0) } })
    func norm(_ threshold: Double, _ λ: Double) -> Double {
      var system = DampedSystem(K: K, metric: [1, 1, 1, 1, 1], damping: λ, isRelative: false)
      system.dropDuplicates(above: threshold)
      #expect(system.duplicates == (threshold < 1 ? 1 : 0))
      return system.norm(system.solve(s + [0.4]))
    }
    #expect(norm(1, 1e-12) > 1e3)
    #expect(norm(0.99, 1e-12) < 10)
    #expect(norm(1, 1e-3) < 10)
  }

  @Test func singularMatricesRaiseTheDamping() {
    let K = Matrix<Double>(repeating: 1, rows: 3, columns: 3)
    var system = DampedSystem(K: K, metric: [1, 1, 1], damping: 0, isRelative: true)
    let w = system.solve([1, 1, 1])
    #expect(system.raised > 0 && w.allSatisfy(\.isFinite))
    #expect(abs(w.reduce(0, +) - 1) < 1e-6)
    var empty = DampedSystem(K: Matrix(rows: 2, columns: 2), metric: [1, 1], damping: 0, isRelative: true)
    #expect(empty.solve([1, 1]) == [0, 0])
  }

  @Test func freeNorms() throws {
    let K = try fixture.batch.captures!.gram(of: ["1": .all, "2": .all])
    var system = DampedSystem(K: K, metric: [1, 1, 1, 1], damping: 1e-3, isRelative: false)
    let w = system.solve(s)
    let Δ = try ief(1e-3)
    #expect(abs(system.norm(w) - length(Δ)) < 1e-11 * length(Δ))
    let predicted = (0..<4).reduce(0) { sum, i in (0..<4).reduce(sum) { $0 + K[i, $1] * w[$1] } }
    #expect(abs(predicted - dot(sum(J), Δ)) < 1e-11 * predicted)
  }

  /// H = diag(p) − p·pᵀ and r from their factors, also where probabilities vanish.
  @Test func squareRootOfTheCurvature() {
    for p in [[0.2, 0.5, 0.3], [1, 0, 0], [0, 0, 1], [1e-300, 1 - 1e-12, 1e-12], [0.5, 0, 0.5]] as [[Double]]
    {
      for y in 0..<3 where p[y] > 0 {
        let r = p.indices.map { p[$0] - ($0 == y ? 1 : 0) }
        let root = OutputCurvature<Double>.softmax([p], gradients: [r])
        for i in 0..<3 {
          for j in 0..<3 {
            let h = root.factors.reduce(0) { $0 + $1[0, i] * $1[0, j] }
            #expect(abs(h - ((i == j ? p[i] : 0) - p[i] * p[j])) < 1e-15, "\(p) \(i) \(j)")
          }
          let gradient = root.factors.indices.reduce(0) {
            $0 + root.coefficients[0, $1] * root.factors[$1][0, i]
          }
          #expect(abs(gradient - r[i]) < 1e-14, "\(p) \(y) \(i)")
        }
      }
    }
    let sigmoid = OutputCurvature<Double>.diagonal([[0.25, 0, 1]], gradients: [[-0.5, 0, 3]])
    #expect(sigmoid.factors.map { $0.array } == [[0.5, 0, 0], [0, 0, 0], [0, 0, 1]])
    #expect(sigmoid.coefficients == [[-1, 0, 3]])
  }

  @Test func naturalGradientIsTheBestDirection() throws {
    let best = try fixture.γ(fixture.direction(NaturalGradient.self, ["damping": 0]))
    let p = fixture.probabilities
    let bound = fixture.y.indices.reduce(0) { $0 + (1 - p[$1, fixture.y[$1]]) / p[$1, fixture.y[$1]] }
    #expect(abs(best - 1 / bound.squareRoot()) < 1e-11)
    for Δ in [try ief(0), try ef(0), sum(J)] { #expect(try fixture.γ(Δ) >= best) }
  }

  /// Theorem 5.3: along the flow every sample's probability stays above 1 − 2/(t + C₀ + 1).
  @Test func boundAlongTheFlow() throws {
    var driver = try OptimizerDriver<Double>(
      try ImprovedEmpiricalFisher(["lr": 0.01, "damping": 0, "duplicates": 1]), parameters: Fixture.parameters
    )
    var (network, values) = (fixture, fixture.values)
    let start = fixture.y.indices.map { fixture.probabilities[$0, fixture.y[$0]] }
    let C0 = start.map { 1 / (1 - $0) + log($0 / (1 - $0)) }
    var least = Double.infinity
    for k in 1...4000 {
      var gradients = values
      _ = try driver.step(values: &values, gradients: &gradients, objective: network.batch)
      network.values = values
      let t = 0.01 * Double(k)
      let p = network.probabilities
      for n in network.y.indices where t > max(-1 - C0[n], 0) {
        least = min(least, p[n, network.y[n]] - (1 - 2 / (t + C0[n] + 1)))
      }
    }
    #expect(abs(least - 0.031) < 1e-3, "\(least)")
    let p = network.probabilities
    expectClose(network.y.indices.map { p[$0, network.y[$0]] }, [0.98656, 0.98241, 0.98710, 0.98678], 1e-5)
  }
}
