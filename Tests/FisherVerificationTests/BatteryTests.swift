import FisherKit
import Testing

@Suite struct BatteryTests {
  static let names = OptimizerRegistry.builtIn.names

  @Test(arguments: names)
  func everyOptimizerPasses(name: String) throws {
    let findings = Battery.verify(Subject(try OptimizerRegistry.builtIn.type(name)))
    #expect(findings.count >= 14)
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

  @Test func checksHaveNames() {
    let names = Battery.list.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(Battery.list.allSatisfy { !$0.meaning.isEmpty })
  }
}
