import FisherKit
import FisherRuntime
import FisherVerification
import Testing

@Suite struct BatteryTests {
  static let names = OptimizerRegistry.builtIn.names
  /// The checks that rest on the author's reference.
  static let references: Set = [
    "matches-reference", "matches-reference-float", "small-shapes", "missing-gradients",
  ]

  @Test(arguments: names)
  func everyOptimizerPasses(name: String) throws {
    let findings = Battery.verify(Subject(try OptimizerRegistry.builtIn.type(name)))
    #expect(findings.count >= 16)
    for finding in findings { #expect(finding.passed, "\(name): \(finding.check): \(finding.detail)") }
  }

  /// The gate of the battery itself: a wrong form that it does not notice is a hole in it.
  @Test(arguments: names)
  func everyMutantIsRejected(name: String) throws {
    let subject = Subject(try OptimizerRegistry.builtIn.type(name))
    for mutation in Mutation.allCases where mutation.applies(to: subject.record) {
      #expect(Battery.rejection(of: mutation, subject) != nil, "\(name) with \(mutation.rawValue) passes")
    }
  }

  /// The gate fails when a check is taken away that alone notices a mutant.
  @Test(
    arguments: [
      ("sgd", .wrongCost, ["cost-as-declared"]), ("adamw", .hoarding, ["steady-state"]),
      ("mbf", .staleInverse, references.union(["state-changes"])),
      ("adafisher", .swappedFactors, references),
      ("adam", .missingBiasCorrection, references.union(["constant-gradients"])),
      ("mbf", .doubleDecay, references.union(["decay-as-declared"])),
      ("adamw", .lostState, ["missing-gradients"]),
    ] as [(String, Mutation, Set<String>)])
  func withoutAMutantPasses(name: String, mutation: Mutation, checks: Set<String>) throws {
    let type = try OptimizerRegistry.builtIn.type(name)
    #expect(checks.isSubset(of: Battery.list.map(\.name)))
    #expect(Battery.rejection(of: mutation, type) != nil)
    let finding = Battery.rejection(of: mutation, type, without: checks)
    #expect(finding == nil, "\(finding?.check ?? "")")
  }

  /// Every check of a promise or an invariance finds a method that has not the property.
  @Test(
    arguments: [
      ("limit-large-damping", "lion"), ("exact-one-sample", "adam"), ("exact-least-squares", "sgd"),
      ("exact-diagonal-problem", "sf"), ("invariance-affine-maps", "sgd"),
      ("invariance-rotation-of-units", "adam"), ("invariance-scale-of-the-loss", "sgd"),
      ("invariance-permutation-of-elements", "mbf"), ("invariance-permutation-of-units", "mbf"),
      ("invariance-sign-of-the-parameters", "sgd"), ("closed-form-heavy-ball", "adam"),
      ("closed-form-sign-descent", "sgd"), ("groups-are-one", "kfac"), ("units-as-declared", "sgd"),
      ("units-as-declared", "adam"),
    ])
  func falsePromisesAreNoticed(check: String, name: String) throws {
    // No method lacks the last two properties but one that is made for it.
    let isLopsided = ["invariance-permutation-of-units", "invariance-sign-of-the-parameters"].contains(check)
    let subject = Subject(
      try OptimizerRegistry.builtIn.type(name), mutation: isLopsided ? .lopsided : .falsePromises)
    let finding = try #require(Battery.verify(subject).first { $0.check == check })
    #expect(!finding.passed, "\(name): \(finding.detail)")
  }

  /// What the record says of decay and momentum is proven without the reference: by these two alone.
  @Test(arguments: names)
  func errorsThatTheReferenceSharesAreSeen(name: String) throws {
    let type = try OptimizerRegistry.builtIn.type(name)
    let others = Set(Battery.list.map(\.name)).subtracting(["decay-as-declared", "constant-gradients"])
    for mutation in [Mutation.doubleDecay, .doubleMomentum, .missingBiasCorrection]
    where mutation.applies(to: type.record) {
      // A method that is not said to correct its averages may not have to.
      if mutation == .missingBiasCorrection && type.record.constantResponse != .equal { continue }
      // Of a gradient that stays Lion sees the signs, which momentum does not change.
      if mutation == .doubleMomentum && name == "lion" { continue }
      let finding = Battery.rejection(of: mutation, type, without: others)
      #expect(finding != nil, "\(name) with \(mutation.rawValue) passes")
    }
  }

  /// A form that is a hundred times too slow, which a clock tells on any machine. That right forms are fast enough is for
  /// the command line alone to say: a test asserts no time.
  @Test func codeForAnyElementTypeIsTooSlow() throws {
    let findings = Battery.verify(Subject(SGD.self, mutation: .unspecialized), timed: true)
    #expect(findings.filter { !$0.passed }.map(\.check) == ["fast-enough"])
    for name in ["sgd", "adam + caution"] {
      let type = try OptimizerRegistry.builtIn.type(name)
      #expect(Mutation.unspecialized.applies(to: type.record, timed: true))
      #expect(Battery.rejection(of: .unspecialized, type)?.check == "fast-enough", "\(name)")
      #expect(Battery.rejection(of: .unspecialized, type, without: ["fast-enough"]) == nil, "\(name)")
    }
  }

  /// A method that knows the places of its parameters does not say so.
  @Test func theOrderOfParametersIsSeen() throws {
    let finding = try #require(
      Battery.verify(Subject(ByPlace.self)).first { $0.check == "order-of-parameters" })
    #expect(!finding.passed)
  }

  @Test func checksHaveNames() {
    let names = Battery.list.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(Battery.list.allSatisfy { !$0.meaning.isEmpty })
  }
}

/// Gradient descent that halves its rate from one parameter to the next.
private struct ByPlace: Optimizer {
  static let record = OptimizerRecord(
    name: "by-place", title: "By place", summary: "Descends.", paper: "none",
    hyperparameters: ByPlace.hyperparameters, invariances: [], cost: Cost(flops: 2 * .P, elements: 3 * .P),
    stateSize: "nothing")

  @Setting("α", .positive, source: "ours") var lr = 0.1

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    var α = S(lr * step.schedule)
    for parameter in step.parameters {
      step.apply(Rule(α: α), to: parameter)
      α /= 2
    }
  }

  struct Rule<S: KernelScalar>: UpdateRule {
    let α: S

    func update(_ x: inout Element<S>, _: inout NoState) { x.value -= α * x.gradient }
  }

  func reference() -> any ReferenceOptimizer { SGD().reference() }
}
