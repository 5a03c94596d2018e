import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginFirstOrder
import FisherTestSupport
import OptimizerTestSupport
import Testing

/// An optimizer with hyper-parameters that reach every term of its update.
struct FirstOrderCase: Sendable, CustomStringConvertible {
  let type: any Optimizer.Type
  let settings: [String: SettingValue]
  /// It remembers something between steps that its update depends on.
  var hasState = true
  /// Its update depends on the number of the step.
  var dependsOnTime = false

  func make() throws -> any Optimizer { try type.init(settings) }

  var description: String { "\(type.record.name) \(settings.sorted { $0.key < $1.key })" }

  static let all: [FirstOrderCase] = [
    FirstOrderCase(type: SGD.self, settings: ["momentum": 0, "weightDecay": 0.01], hasState: false),
    FirstOrderCase(type: SGD.self, settings: ["weightDecay": 0.01, "dampening": 0.25], dependsOnTime: true),
    FirstOrderCase(type: SGD.self, settings: ["nesterov": true, "weightDecay": 0.01]),
    FirstOrderCase(
      type: AdaGrad.self, settings: ["lr": 0.1, "lrDecay": 0.05, "weightDecay": 0.01], dependsOnTime: true),
    FirstOrderCase(type: RMSprop.self, settings: ["weightDecay": 0.01]),
    FirstOrderCase(type: RMSprop.self, settings: ["rho": 0.8, "centered": true, "eps": 0.01]),
    FirstOrderCase(type: RMSprop.self, settings: ["rho": 0.9, "momentum": 0.8]),
    FirstOrderCase(
      type: RMSprop.self, settings: ["rho": 0.8, "centered": true, "momentum": 0.8, "eps": 0.01]),
    FirstOrderCase(type: Adam.self, settings: ["lr": 0.01, "weightDecay": 0.1], dependsOnTime: true),
    FirstOrderCase(
      type: Adam.self, settings: ["lr": 0.01, "amsgrad": true, "beta2": 0.5], dependsOnTime: true),
    FirstOrderCase(type: AdamW.self, settings: ["lr": 0.01, "weightDecay": 0.1], dependsOnTime: true),
    FirstOrderCase(type: NAdam.self, settings: ["lr": 0.01, "weightDecay": 0.1], dependsOnTime: true),
    FirstOrderCase(
      type: NAdam.self, settings: ["lr": 0.01, "weightDecay": 0.1, "decoupled": true, "momentumDecay": 0.1],
      dependsOnTime: true),
    FirstOrderCase(
      type: Adan.self, settings: ["lr": 0.01, "weightDecay": 0.1, "beta2": 0.7], dependsOnTime: true),
    FirstOrderCase(
      type: ScheduleFreeAdamW.self, settings: ["lr": 0.01, "weightDecay": 0.1, "warmUp": 5],
      dependsOnTime: true),
    FirstOrderCase(
      type: ScheduleFreeAdamW.self, settings: ["lr": 0.01, "beta1": 0, "beta2": 0.5], dependsOnTime: true),
    FirstOrderCase(type: Lion.self, settings: ["lr": 0.01, "weightDecay": 0.1]),
    FirstOrderCase(
      type: Adafactor.self, settings: ["eps1": 1e-5, "weightDecay": 0.1, "clip": 0.5], dependsOnTime: true),
  ]
}

@Suite struct FirstOrderReferenceTests {
  let steps = 24

  @Test(arguments: FirstOrderCase.all)
  func matchesItsReference(subject: FirstOrderCase) throws {
    for seed in Seed.cases(3) {
      let trace = Trace(seed: seed, steps: steps)
      let expected = trace.runReference(try subject.make().reference())
      let double = relativeError(try trace.run(subject.make(), Double.self), expected)
      let float = relativeError(try trace.run(subject.make(), Float.self), expected)
      #expect(double < 1e-12, "\(subject) Double, FISHER_SEED=\(seed)")
      #expect(float < 1e-5, "\(subject) Float, FISHER_SEED=\(seed)")
    }
  }

  @Test(arguments: FirstOrderCase.all)
  func isNotSomethingElse(subject: FirstOrderCase) throws {
    let trace = Trace(seed: Seed.first, steps: steps)
    let expected = trace.runReference(try subject.make().reference())
    let lr = try subject.make().settings.number("lr")
    if subject.type != SGD.self {
      let disguised = try trace.run(try SGD(["lr": .number(lr)]), Double.self)
      #expect(relativeError(disguised, expected) > 1e-6, "\(subject) passes as SGD")
    }
    if subject.hasState {
      let forgetful = try trace.run(subject.make(), Double.self) { driver in
        driver.restore(OptimizerState(scalars: driver.state.scalars, stepCount: driver.stepCount))
      }
      #expect(relativeError(forgetful, expected) > 1e-6, "\(subject) passes without its state")
    }
    if subject.dependsOnTime {
      let late = try trace.run(subject.make(), Double.self) { driver in
        let tensors = driver.state.tensors
        driver.restore(OptimizerState(tensors: tensors, stepCount: 1_000_000))
      }
      #expect(relativeError(late, expected) > 1e-6, "\(subject) passes without its bias correction")
    }
  }

  @Test(arguments: FirstOrderCase.all)
  func sameBitsForAnyThreads(subject: FirstOrderCase) throws {
    let big = [ParameterInfo(name: "w", shape: [301, 333], role: .linearWeight)]
    let trace = Trace(seed: Seed.first, steps: 3, parameters: big)
    let one = try trace.run(subject.make(), Float.self, threads: 1)
    for threads in [2, 7] {
      #expect(
        try trace.run(subject.make(), Float.self, threads: threads) == one, "\(subject), \(threads) threads")
    }
  }
}
