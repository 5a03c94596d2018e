import FisherComparison
import FisherKit
import Testing

/// One setting for several workloads.
@Suite struct CommonSettingTests {
  private func trial(_ lr: String?, _ steps: Double) -> MethodSummary.Trial {
    MethodSummary.Trial(setting: lr.map { ["lr": $0] } ?? [:], steps: steps, least: 1)
  }

  @Test func missesCountAsTwiceTheSteps() throws {
    let (a, b) = (try Workload.named("spirals"), try Workload.named("curves"))
    let common = try #require(
      CommonSetting(
        method: "adamw",
        [
          (a, [trial(nil, 100), trial("0.1", 0), trial("0.2", 10)]),
          (b, [trial(nil, .infinity), trial("0.1", 400), trial("0.3", 1)]),
        ]))
    // Runs of curves have 600 steps; a target that is met at once takes one; 0.2 and 0.3 are not common.
    #expect(common.defaults.met == 1 && abs(common.defaults.steps - Double(100 * 1200).squareRoot()) < 1e-9)
    #expect(common.best.setting == ["lr": "0.1"] && common.best.met == 2)
    #expect(abs(common.best.steps - 20) < 1e-12)
  }

  @Test func withoutDefaultsThereIsNothingToCompare() throws {
    let workload = try Workload.named("spirals")
    #expect(CommonSetting(method: "sgd", [(workload, [trial("0.1", 5)])]) == nil)
    #expect(CommonSetting(method: "sgd", []) == nil)
  }
}
