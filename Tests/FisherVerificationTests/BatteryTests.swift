import FisherKit
import FisherRuntime
import FisherVerification
import Testing

@Suite struct BatteryTests {
  static let names = OptimizerRegistry.builtIn.names
  /// The checks that rest on the author's reference.
  static let references: Set = ["matches-reference", "matches-reference-float", "small-shapes"]

  @Test(arguments: names)
  func everyOptimizerPasses(name: String) throws {
    let findings = Battery.verify(Subject(try OptimizerRegistry.builtIn.type(name)))
    #expect(findings.count >= 16)
    for finding in findings { #expect(finding.passed, "\(name): \(finding.check): \(finding.detail)") }
  }

  /// The gate of the battery itself: a wrong form that it does not notice is a hole in it.
  @Test(arguments: names)
  func everyMutantIsRejected(name: String) throws {
    let type = try OptimizerRegistry.builtIn.type(name)
    for mutation in Mutation.allCases where mutation.applies(to: type.record) {
      #expect(Battery.rejection(of: mutation, type) != nil, "\(name) with \(mutation.rawValue) passes")
    }
  }

  /// The gate fails when a check is taken away that alone notices a mutant.
  @Test(
    arguments: [
      ("sgd", .wrongCost, ["cost-as-declared"]), ("adamw", .hoarding, ["steady-state"]),
      ("mbf", .staleInverse, ["matches-reference", "matches-reference-float", "state-changes"]),
      ("adafisher", .swappedFactors, ["matches-reference", "matches-reference-float"]),
      (
        "adam", .missingBiasCorrection,
        ["matches-reference", "matches-reference-float", "small-shapes", "constant-gradients"]
      ), ("mbf", .doubleDecay, references.union(["decay-as-declared"])),
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
      ("invariance-sign-of-the-parameters", "sgd"),
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

  @Test func checksHaveNames() {
    let names = Battery.list.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(Battery.list.allSatisfy { !$0.meaning.isEmpty })
  }
}
