import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginAdaFisher
import FisherTestSupport
import OptimizerTestSupport
import Testing

@Suite struct AdaFisherPropertyTests {
  private let official: [String: SettingValue] = ["variant": "official"]

  /// A copy of a trace with every gradient, also those of the outputs, multiplied.
  private func scaled(_ trace: Trace, by factor: Double) -> Trace {
    Trace(
      parameters: trace.parameters, values: trace.values,
      gradients: trace.gradients.map { $0.map { $0.map { factor * $0 } } },
      captures: trace.captures?.map { captures in
        Captures(
          captures.layers.mapValues { layer in
            var s = layer.outputGradients.values
            scal(alpha: factor, &s)
            return LayerCapture(
              kind: layer.kind, inputs: layer.inputs,
              outputGradients: .ofMean(s, terms: layer.sampleCount), sampleCount: layer.sampleCount)
          })
      })
  }

  /// With the loss multiplied by c the scaled factors stay, so the update is multiplied by c.
  @Test(arguments: ["paper", "official"])
  func updatesScaleWithTheLoss(variant: String) throws {
    let trace = Trace(seed: Seed.first, steps: 8)
    for c in [0x1p-10, 1000] {
      let settings: [String: SettingValue] = [
        "variant": .choice(variant), "refresh": 3, "minMaxEps": 0, "lr": .number(1e-3),
      ]
      let compensated = settings.merging(["lr": .number(1e-3 / c)]) { $1 }
      let usual = try trace.run(try AdaFisher(settings), Double.self)
      let other = try scaled(trace, by: c).run(try AdaFisher(compensated), Double.self)
      #expect(relativeError(other, usual) < 1e-12, "\(variant), \(c)")
    }
  }

  /// The published ε of 1e-6 makes small output gradients vanish; a smaller one keeps them.
  @Test func aLargeEpsilonHidesSmallGradients() throws {
    let trace = scaled(Trace(seed: Seed.first, steps: 1), by: 1e-5)
    func largestS(_ ε: Double) throws -> Double {
      var driver = try OptimizerDriver<Double>(
        try AdaFisher(["variant": "official", "minMaxEps": .number(ε)]), parameters: trace.parameters)
      var values = trace.matrices(trace.values, Double.self)
      var gradients = trace.matrices(trace.gradients[0], Double.self)
      _ = try driver.step(
        values: &values, gradients: &gradients, objective: PlainObjective(captures: trace.captures?[0]))
      return driver.state.tensors[SlotKey("a", "S")]!.array.max()!
    }
    #expect(try largestS(1e-6) < 0.0801)
    #expect(try largestS(1e-30) > 0.0879)
  }

  @Test func withoutAveragesItIsMomentum() throws {
    // keep = mix = 0: F̃ = λ everywhere.
    let trace = Trace(seed: Seed.first, steps: 20)
    let none = try trace.run(
      try AdaFisher(["variant": "official", "keep": 0, "mix": 0, "lambda": 0.5, "lr": 0.01]), Double.self)
    let placebo = try trace.run(
      try AdaFisher(["control": "lambda", "lambda": 0.5, "lr": 0.01]), Double.self)
    #expect(none == placebo)
    // θ ← θ − α/(1 − βᵗ)·m/λ with m ← β·m + (1 − β)·g, against a loop.
    var (θ, m) = (trace.values, trace.values.map { $0.map { _ in 0.0 } })
    for (t, gradients) in trace.gradients.enumerated() {
      for p in θ.indices {
        for i in θ[p].indices {
          m[p][i] = 0.9 * m[p][i] + 0.1 * gradients[p][i]
          θ[p][i] -= 0.01 / (1 - 0.9.raised(to: t + 1)) * m[p][i] / 0.5
        }
      }
    }
    #expect(relativeError(none, θ) < 1e-13)
  }

  /// F̃ is as small as λ, so that on a convex loss whose gradient has the Lipschitz constant L a step of 1/L is no safe one, as
  /// proposition 3.3 has it, and one of λ/L is: on ½·L·w² steps multiply w by 1 − α·L/λ.
  @Test(arguments: [1, 3.0]) func safeStepsDependOnTheDamping(L: Double) throws {
    // One input and one output: both factors are constant vectors, which the scaling makes 0.
    let parameter = ParameterInfo(name: "w", shape: [1, 1], role: .linearWeight, layer: "w")
    let λ = 1e-3
    func run(_ α: Double, steps: Int) throws -> Double {
      var driver = try OptimizerDriver<Double>(
        try AdaFisher(["lr": .number(α), "beta": 0, "lambda": .number(λ)]), parameters: [parameter])
      var values: [Matrix<Double>] = [[[1]]]
      for _ in 0..<steps {
        let s: Matrix<Double> = [[L * values[0][0, 0]]]
        let capture = LayerCapture<Double>(
          kind: .linear(hasBias: false), inputs: [[1]], outputGradients: .ofMean(s, terms: 1), sampleCount: 1)
        var gradients = [s]
        _ = try driver.step(
          values: &values, gradients: &gradients,
          objective: PlainObjective(captures: Captures(["w": capture])))
      }
      return values[0][0, 0]
    }
    #expect(abs(try run(1 / L, steps: 1) + 999) < 1e-9)
    #expect(try abs(run(λ / L, steps: 1)) < 1e-12 && abs(run(1.9 * λ / L, steps: 200)) < 1e-8)
  }

  @Test func withoutDecayBothFormsAreOne() throws {
    let trace = Trace(seed: Seed.first, steps: 12)
    let decay: [String: SettingValue] = ["weightDecay": 0, "refresh": 5]
    #expect(
      try trace.run(try AdaFisher(decay), Double.self) == trace.run(try AdaFisherW(decay), Double.self))
  }

  /// After k refreshes from ones: factors lie in [keepᵏ, keepᵏ + mix·(1 − keepᵏ)/(1 − keep)], and change only then.
  @Test func officialFactorsStayInTheirBounds() throws {
    let trace = Trace(seed: Seed.first, steps: 31)
    var histories: [[[Double]]] = []
    _ = try trace.run(try AdaFisher(["variant": "official", "refresh": 10]), Double.self) { driver in
      let factors = driver.state.tensors.filter { ["H", "S"].contains($0.key.slot) }
      histories.append(factors.sorted { $0.key < $1.key }.map(\.value.array))
    }
    for (completed, factors) in histories.enumerated().dropFirst() {
      let k = (completed - 1) / 10 + 1
      let low = 0.08.raised(to: k)
      let high = low + 0.008 * (1 - low) / 0.92
      for value in factors.flatMap(\.self) {
        #expect(value >= low * (1 - 1e-14) && value <= high * (1 + 1e-14), "after \(completed) steps")
      }
      if (completed - 1) % 10 != 0 {
        #expect(factors == histories[completed - 1], "step \(completed)")
      } else if completed > 1 {
        #expect(factors != histories[completed - 1], "step \(completed)")
      }
    }
  }

  /// F̃ lies in [λ, 1 + λ]: with α = 1 and β = 0 no element moves by more than |g|/λ or less than |g|/(1 + λ).
  @Test func publishedDivisorsLieBetweenBounds() throws {
    let trace = Trace(seed: Seed.first, steps: 1)
    let λ = 0.01
    let values = try trace.run(
      try AdaFisher(["lr": 1, "beta": 0, "lambda": .number(λ)]), Double.self)
    for p in values.indices {
      for i in values[p].indices {
        let (moved, g) = (trace.values[p][i] - values[p][i], trace.gradients[0][p][i])
        #expect(moved * g >= 0)
        #expect(abs(moved) <= abs(g) / λ + 1e-12 && abs(moved) >= abs(g) / (1 + λ) - 1e-12)
      }
    }
  }

  /// Renumbering inputs and outputs of a layer renumbers its update.
  @Test func permutedUnitsHavePermutedUpdates() throws {
    let trace = Trace(
      seed: Seed.first, steps: 5,
      parameters: [ParameterInfo(name: "w", shape: [4, 6], role: .linearWeight, layer: "w")])
    let (rows, columns) = ([2, 0, 3, 1], [5, 3, 0, 1, 4, 2])
    func permuted(_ w: [Double]) -> [Double] { rows.flatMap { r in columns.map { w[6 * r + $0] } } }
    func shuffled(_ x: Matrix<Double>, _ order: [Int]) -> Matrix<Double> {
      Matrix(rows: x.rows, columns: x.columns) { i, j in x[i, order[j]] }
    }
    let other = Trace(
      parameters: trace.parameters, values: trace.values.map(permuted),
      gradients: trace.gradients.map { $0.map(permuted) },
      captures: trace.captures?.map { captures in
        Captures(
          captures.layers.mapValues { layer in
            LayerCapture(
              kind: layer.kind, inputs: shuffled(layer.inputs, columns),
              outputGradients: .ofMean(
                shuffled(layer.outputGradients.values, rows), terms: layer.sampleCount),
              sampleCount: layer.sampleCount)
          })
      })
    for optimizer in [AdaFisher(), try AdaFisher(official)] {
      let usual = try trace.run(optimizer, Double.self)
      #expect(try other.run(optimizer, Double.self) == usual.map(permuted))
    }
  }

  /// Parameters without a layer, frozen ones and layers without captures do not shift anybody else's factors.
  @Test func everyParameterMovesByItsOwnFactors() throws {
    let trace = Trace(seed: Seed.first, steps: 3)
    let frozen = ParameterGroup("e.weight", isFrozen: true)
    var driver = try OptimizerDriver<Double>(
      try AdaFisher(official), parameters: trace.parameters, groups: [frozen])
    var values = trace.matrices(trace.values, Double.self)
    var events: [String: Int] = [:]
    for i in 0..<3 {
      var gradients = trace.matrices(trace.gradients[i], Double.self)
      let some = trace.captures![i].layers.filter { $0.key != "b" }
      let report = try driver.step(
        values: &values, gradients: &gradients, objective: PlainObjective(captures: Captures(some)))
      events.merge(report.events, uniquingKeysWith: +)
    }
    let all = try trace.run(try AdaFisher(official), Double.self)
    for (i, parameter) in trace.parameters.enumerated() {
      switch parameter.name {
      case "e.weight": #expect(values[i].array == trace.values[i])
      case "b.weight", "b.bias": #expect(zip(values[i].array, trace.values[i]).allSatisfy(!=))
      default: #expect(values[i].array == all[i], "\(parameter.name)")
      }
    }
    #expect(events == ["layer without factors": 1])
  }

  /// A batch whose factors are not numbers leaves the averages as they were, and is counted.
  @Test func unusableFactorsAreSkippedAndCounted() throws {
    let one = [ParameterInfo(name: "w", shape: [2, 2], role: .linearWeight, layer: "w")]
    for (bad, variant, count) in [
      (Double.nan, "paper", 1), (.infinity, "paper", 1), (.nan, "official", 1), (.infinity, "official", 0),
    ] {
      var driver = try OptimizerDriver<Double>(
        try AdaFisher(["variant": .choice(variant), "refresh": 1]), parameters: one)
      var values: [Matrix<Double>] = [[[1, 2], [3, 4]]]
      var before: [Double] = []
      for h in [[1, 2], [bad, 2]] as [[Double]] {
        before = driver.state.tensors[SlotKey("w", "H")]?.array ?? []
        var gradients: [Matrix<Double>] = [[[1, 1], [1, 1]]]
        let capture = LayerCapture<Double>(
          kind: .linear(hasBias: false), inputs: Matrix([h]), outputGradients: .ofMean([[1, 2]], terms: 1),
          sampleCount: 1)
        let report = try driver.step(
          values: &values, gradients: &gradients,
          objective: PlainObjective(captures: Captures(["w": capture])))
        if h[0] != 1 { #expect(report.events["refresh skipped", default: 0] == count, "\(bad), \(variant)") }
      }
      #expect((driver.state.tensors[SlotKey("w", "H")]?.array == before) == (count == 1))
      #expect(values[0].array.allSatisfy { $0.isFinite })
    }
  }

  @Test func missingCapturesAreARefusal() throws {
    let trace = Trace(seed: Seed.first, steps: 1)
    var driver = try OptimizerDriver<Double>(AdaFisherW(), parameters: trace.parameters)
    var values = trace.matrices(trace.values, Double.self)
    var gradients = trace.matrices(trace.gradients[0], Double.self)
    #expect(throws: StepRefusal.unavailable(optimizer: "adafisherw", what: "inputs, output gradients")) {
      try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Double>())
    }
    #expect(values.map(\.array) == trace.values)
  }

  @Test func needsCapturesOnlyToRefresh() throws {
    let optimizer = try AdaFisher(["variant": "official"])
    let asking = (1...201).filter { optimizer.needs(step: $0).contains(.captures) }
    #expect(asking == [1, 101, 201])
    #expect(AdaFisher().needs(step: 2).isSuperset(of: .captures))
    #expect(try AdaFisher(["control": "lambda"]).needs(step: 1) == .gradients)
  }
}
