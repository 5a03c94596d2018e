import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginAdaFisher
import FisherTestSupport
import OptimizerTestSupport
import Testing

/// A form of AdaFisher with hyper-parameters that reach every term of its update.
struct AdaFisherCase: Sendable, CustomStringConvertible {
  let type: any Optimizer.Type
  let settings: [String: SettingValue]

  func make(_ changes: [String: SettingValue] = [:]) throws -> any Optimizer {
    try type.init(settings.merging(changes) { $1 })
  }

  var description: String { "\(type.record.name) \(settings.sorted { $0.key < $1.key })" }

  /// Both methods in both variants, every switch against its variant, and the placebos.
  static let all: [AdaFisherCase] = {
    let switches: [[String: SettingValue]] = [
      ["variant": "paper"], ["variant": "official", "refresh": 7], ["variant": "paper", "refresh": 3],
      ["variant": "official", "refresh": 1, "keep": 0.9, "mix": 0.1, "minMaxEps": 1e-12],
      ["variant": "official", "refresh": 1, "convDivisor": false, "placement": "afterEMA"],
      ["variant": "paper", "keep": 0.2, "mix": 0.8, "placement": "beforeEMA", "convDivisor": true],
      ["control": "geometricMean"], ["control": "lambda"],
    ]
    let types: [any Optimizer.Type] = [AdaFisher.self, AdaFisherW.self]
    return types.flatMap { type in
      switches.map { settings in
        AdaFisherCase(
          type: type, settings: settings.merging(["lambda": 0.05, "lr": 0.01, "weightDecay": 0.1]) { $1 })
      }
    }
  }()
}

@Suite struct AdaFisherReferenceTests {
  let steps = 24

  @Test(arguments: AdaFisherCase.all)
  func matchesItsReference(subject: AdaFisherCase) throws {
    for seed in Seed.cases(3) {
      let trace = Trace(seed: seed, steps: steps)
      let expected = trace.runReference(try subject.make().reference())
      let double = relativeError(try trace.run(subject.make(), Double.self), expected)
      let float = relativeError(try trace.run(subject.make(), Float.self), expected)
      #expect(double < 1e-12, "\(subject) Double, FISHER_SEED=\(seed)")
      #expect(float < 1e-5, "\(subject) Float, FISHER_SEED=\(seed)")
    }
  }

  @Test(arguments: AdaFisherCase.all)
  func isNotSomethingElse(subject: AdaFisherCase) throws {
    let trace = Trace(seed: Seed.first, steps: steps)
    let expected = trace.runReference(try subject.make().reference())
    func differs(
      _ what: String, _ optimizer: any Optimizer, _ mutation: (inout OptimizerDriver<Double>) -> Void
    )
      throws
    {
      let values = try trace.run(optimizer, Double.self, beforeStep: mutation)
      #expect(relativeError(values, expected) > 1e-6, "\(subject) passes \(what)")
    }
    let isPlacebo = subject.settings["control"] != nil
    try differs("without its state", subject.make()) { driver in
      driver.restore(OptimizerState(stepCount: driver.stepCount))
    }
    try differs("without momentum", subject.make()) { driver in
      let factors = driver.state.tensors.filter { $0.key.slot != "m" }
      driver.restore(OptimizerState(tensors: factors, stepCount: driver.stepCount))
    }
    // 21 is a multiple of every refresh period here, so that the bias correction alone is missing.
    var t = 21 * 50_000
    try differs("without bias correction", subject.make()) { driver in
      driver.restore(OptimizerState(tensors: driver.state.tensors, stepCount: t))
      t += 1
    }
    try differs("as a method without curvature", subject.make(["control": isPlacebo ? "none" : "lambda"])) {
      _ in
    }
    if !isPlacebo {
      try differs("as its own placebo", subject.make(["control": "geometricMean"])) { _ in }
      try differs("with frozen factors", subject.make(["refresh": 1000])) { _ in }
      try differs("with factors of the first step only", subject.make()) { driver in
        let kept = driver.state.tensors.filter { $0.key.slot == "m" }
        driver.restore(OptimizerState(tensors: kept, stepCount: driver.stepCount))
      }
    }
  }

  @Test(arguments: [AdaFisherCase.all[0], AdaFisherCase.all[9]])
  func sameBitsForAnyThreads(subject: AdaFisherCase) throws {
    let big = [
      ParameterInfo(name: "w", shape: [301, 333], role: .linearWeight, layer: "w"),
      ParameterInfo(name: "b", shape: [301], role: .bias, layer: "w"),
    ]
    let trace = Trace(seed: Seed.first, steps: 3, parameters: big)
    let one = try trace.run(subject.make(), Float.self, threads: 1)
    for threads in [2, 7] {
      #expect(try trace.run(subject.make(), Float.self, threads: threads) == one, "\(threads) threads")
    }
  }

  @Test func defaultsOfTheVariants() throws {
    let paper = try AdaFisher(["variant": "paper"])
    let spelled = try AdaFisher([
      "lr": 1e-2, "lambda": 1e-2, "refresh": 1, "keep": 0.8, "mix": 0.2, "placement": "afterEMA",
      "minMaxEps": 0, "convDivisor": false,
    ])
    let official = try AdaFisher(["variant": "official"])
    let officialSpelled = try AdaFisher([
      "lr": 1e-3, "lambda": 1e-3, "refresh": 100, "keep": 0.08, "mix": 0.008, "placement": "beforeEMA",
      "minMaxEps": 1e-6, "convDivisor": true,
    ])
    let trace = Trace(seed: Seed.first, steps: 3)
    #expect(try trace.run(paper, Double.self) == trace.run(spelled, Double.self))
    #expect(try trace.run(official, Double.self) == trace.run(officialSpelled, Double.self))
    #expect(try trace.run(official, Double.self) != trace.run(paper, Double.self))
  }
}
