import FisherKit
import FisherVerification
import Testing

/// Parts around methods are methods: the battery takes them as they come.
@Suite struct PartBatteryTests {
  /// Around gradient descent with momentum all facts are declared that a part can keep or lose.
  @Test(arguments: OptimizerRegistry.builtIn.partNames + ["graft(lion)"])
  func everyPartPasses(part: String) throws {
    let type = try OptimizerRegistry.builtIn.type("sgd + " + part)
    let subject = Subject(type)
    for finding in Battery.verify(subject) {
      #expect(finding.passed, "\(part): \(finding.check): \(finding.detail)")
    }
    for mutation in Mutation.allCases where mutation.applies(to: type.record) {
      #expect(Battery.rejection(of: mutation, subject) != nil, "\(part) with \(mutation.rawValue) passes")
    }
  }

  /// Methods that see layers, treat some parameters only, or keep bases; and parts around parts.
  @Test(
    arguments: [
      "kfac + clip-kl + warm-up", "soap + caution", "adamw + clip-layer + trust-ratio + ema",
      "kfac + momentum",
    ])
  func partsGoAroundAnything(name: String) throws {
    for finding in Battery.verify(Subject(try OptimizerRegistry.builtIn.type(name))) {
      #expect(finding.passed, "\(name): \(finding.check): \(finding.detail)")
    }
  }

  /// What the method does itself is at rest in the facts about both, and a run that has both says so.
  @Test(
    arguments: [
      ("sgd + momentum", "momentum=0.9"), ("kfac + momentum", "momentum=0.9"),
      ("muon + momentum", "momentum=0.95"), ("adamw + decay", "weightDecay=0.01"), ("adam + momentum", nil),
      ("sgd + caution", nil),
    ] as [(String, String?)])
  func whatIsDoneTwiceIsSaid(name: String, setting: String?) throws {
    let record = try OptimizerRegistry.builtIn.type(name).record
    let lines = record.doubled(in: try Settings(record))
    #expect(lines.count == (setting == nil ? 0 : 1))
    guard let setting, let line = lines.first else { return }
    #expect(line.hasPrefix(setting + " is beside a part that does the same; "))
    let key = String(setting.prefix { $0 != "=" })
    #expect(record.probes.allSatisfy { $0[key] == .number(0) })
    #expect(record.doubled(in: try Settings(record, [key: .number(0)])).isEmpty)
  }

  /// Parts that cannot go around a method say why.
  @Test(
    arguments: [
      ("schedulefree + caution", "averages come last"), ("sgd + ema + polyak", "averages come last"),
      ("sgd + graft(kfac)", "kfac does not treat all parameters that sgd does"),
      ("sgd + ema + ema", "ema stands in it already"), ("ngd + clip-norm", "does not look at gradients"),
    ])
  func whatCannotBeIsSaid(name: String, reason: String) {
    #expect { _ = try OptimizerRegistry.builtIn.type(name) } throws: { "\($0)".contains(reason) }
  }

  /// An average that is wrong leaves the trained weights right: one check alone sees it.
  @Test func wrongAveragesAreSeen() throws {
    let type = try WrongAverage.around(SGD.self)
    #expect(Battery.verify(Subject(type)).filter { !$0.passed }.map(\.check) == ["tested-weights"])
  }
}

/// A running average that forgets faster than its reference.
private struct WrongAverage: OptimizerPart {
  static let record = EMA.record

  @Setting("β", .halfOpen(0, 1), source: "ours") var beta = 0.999

  func plan<S: KernelScalar>(_ step: inout Step<S>, around method: WrappedMethod<S>) throws(StepRefusal) {
    try EMA(beta * 0.99).plan(&step, around: method)
  }

  func reference(around method: any ReferenceOptimizer, lr: Double) -> any ReferenceOptimizer {
    EMA(beta).reference(around: method, lr: lr)
  }
}
