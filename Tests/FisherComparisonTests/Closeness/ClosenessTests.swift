import FisherComparison
import FisherKit
import Testing

/// γ beside the natural gradient's.
@Suite struct ClosenessTests {
  @Test func theNaturalGradientIsClosestAndTheGradientIsOne() throws {
    let workload = try Workload.named("spirals")
    let names = ["sgd", "ngd", "adamw", "kfac", "kfac:units"]
    let found = try workload.closeness(
      of: names.map { (try Method($0), [:]) }, at: [:], threads: 1, check: {})
    let γ = try found.map { try #require($0).relativeγ }
    // Twenty steps of one gradient are that gradient, times something.
    #expect(abs(γ[0] - 1) < 1e-9)
    for i in [0, 2, 3, 4] { #expect(γ[1] < γ[i], "\(names[i]): \(γ)") }
    // Double precision, one after the other: the bits depend on nothing.
    let again = try workload.closeness(
      of: [(try Method("kfac"), [:])], at: [:], threads: 2, check: {})
    #expect(again == [found[3]])
  }

  @Test func linesAreReadAgainOrRefused() throws {
    let key = PhaseKey(workload: "spirals", method: "kfac")
    let line = Closeness(relativeγ: 0.1).json(key).text
    let read = try #require(Closeness.parse(try JSON(parsing: line)))
    #expect(read.0 == key && read.1 == Closeness(relativeγ: 0.1))
    for wrong in ["0", "-1", "\"much\"", "null"] {
      let text = line.replacing("0.1", with: wrong)
      #expect(Closeness.parse(try JSON(parsing: text)) == nil, "\(text)")
    }
  }
}
