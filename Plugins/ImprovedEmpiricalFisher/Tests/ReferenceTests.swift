import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginImprovedEmpiricalFisher
import FisherTestSupport
import OptimizerTestSupport
import Testing

/// A method with hyper-parameters that reach every term of its update.
struct SampleSpaceCase: Sendable, CustomStringConvertible {
  let type: any Optimizer.Type
  let settings: [String: SettingValue]

  var description: String { "\(type.record.name) \(settings.sorted { $0.key < $1.key })" }

  func make(_ changes: [String: SettingValue] = [:]) throws -> any Optimizer {
    try type.init(settings.merging(changes) { $1 })
  }

  static let all: [SampleSpaceCase] = [
    SampleSpaceCase(type: ImprovedEmpiricalFisher.self, settings: ["damping": 0.1]),
    SampleSpaceCase(
      type: ImprovedEmpiricalFisher.self,
      settings: ["damping": 0.1, "variant": "B", "momentum": 0.9, "weightDecay": 0.1, "lr": 0.3]),
    SampleSpaceCase(
      type: ImprovedEmpiricalFisher.self,
      settings: ["damping": 3, "dampingMode": "absolute", "duplicates": 0.05, "maxNorm": 0.01]),
    SampleSpaceCase(type: EmpiricalFisher.self, settings: ["damping": 0.1]),
    SampleSpaceCase(
      type: EmpiricalFisher.self,
      settings: ["damping": 0.2, "normalize": false, "momentum": 0.5, "duplicates": 0.1]),
    SampleSpaceCase(type: SampledFisher.self, settings: ["damping": 0.1]),
    SampleSpaceCase(
      type: SampledFisher.self,
      settings: ["damping": 0.3, "labels": 3, "normalize": false, "weightDecay": 0.01]),
    SampleSpaceCase(type: NaturalGradient.self, settings: ["damping": 0.1, "lr": 0.1]),
    SampleSpaceCase(type: NaturalGradient.self, settings: ["damping": 0.1, "trustRegion": 1e-3]),
    SampleSpaceCase(
      type: NaturalGradient.self,
      settings: ["damping": 5, "dampingMode": "absolute", "momentum": 0.8, "trustRegion": 0]),
  ]
}

@Suite struct SampleSpaceReferenceTests {
  /// The trace's parameters without the one that belongs to no layer.
  static let parameters = Trace.awkward.filter { $0.layer != nil }

  private func trace(_ seed: UInt64) -> Trace { Trace(seed: seed, steps: 21, parameters: Self.parameters) }

  @Test(arguments: SampleSpaceCase.all)
  func matchesItsReference(subject: SampleSpaceCase) throws {
    for seed in Seed.cases(2) {
      let trace = trace(seed)
      let expected = trace.runReference(try subject.make().reference())
      let double = relativeError(try trace.run(subject.make(), Double.self), expected)
      let float = relativeError(try trace.run(subject.make(), Float.self), expected)
      #expect(double < 1e-12, "\(subject) Double, FISHER_SEED=\(seed)")
      #expect(float < 1e-5, "\(subject) Float, FISHER_SEED=\(seed)")
    }
  }

  @Test(arguments: SampleSpaceCase.all)
  func isNotSomethingElse(subject: SampleSpaceCase) throws {
    let trace = trace(Seed.first)
    let expected = trace.runReference(try subject.make().reference())
    func differs(_ what: String, _ changes: [String: SettingValue]) throws {
      let values = try trace.run(subject.make(changes), Double.self)
      #expect(relativeError(values, expected) > 1e-6, "\(subject) passes \(what)")
    }
    try differs("with another damping", ["damping": 0.15])
    try differs("with momentum", ["momentum": 0.3])
    for other in SampleSpaceCase.all where other.type != subject.type {
      let values = try trace.run(other.make(), Double.self)
      #expect(relativeError(values, expected) > 1e-6, "\(subject) passes as \(other)")
    }
    if subject.settings["momentum"] != nil {
      let values = try trace.run(subject.make(), Double.self) { $0.restore(OptimizerState()) }
      #expect(relativeError(values, expected) > 1e-6, "\(subject) passes without its state")
    }
  }

  @Test func plainParametersAreRefused() throws {
    let trace = Trace(seed: Seed.first, steps: 1)
    #expect(throws: (any Error).self) { try trace.run(ImprovedEmpiricalFisher(), Double.self) }
  }
}
