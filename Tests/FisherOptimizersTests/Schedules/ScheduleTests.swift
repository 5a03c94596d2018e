import FisherOptimizers
import Testing

@Suite struct ScheduleTests {
  @Test func definitions() {
    #expect((0..<6).map(Schedule.step(every: 2, factor: 0.5).factor) == [1, 1, 0.5, 0.5, 0.25, 0.25])
    #expect((0..<6).map(Schedule.linear(steps: 4).factor) == [1, 0.75, 0.5, 0.25, 0, 0])
    #expect(Schedule.constant.factor(step: 1000) == 1)
    let cosine = Schedule.cosine(steps: 8, end: 0.2)
    #expect(cosine.factor(step: 0) == 1)
    #expect(abs(cosine.factor(step: 4) - 0.6) < 1e-15)
    #expect(cosine.factor(step: 8) == 0.2 && cosine.factor(step: 100) == 0.2)
  }

  @Test func warmUpReachesOneAndThenBeginsTheRest() {
    let schedule = Schedule.warmUp(steps: 4, then: .linear(steps: 2))
    #expect((0..<7).map(schedule.factor) == [0.25, 0.5, 0.75, 1, 1, 0.5, 0])
  }

  @Test func oneCycleRisesAndFalls() {
    let schedule = Schedule.oneCycle(steps: 10, rise: 0.3, start: 0.1, end: 0.01)
    let factors = (0...10).map(schedule.factor)
    #expect(abs(factors[0] - 0.1) < 1e-15 && factors[3] == 1 && abs(factors[10] - 0.01) < 1e-15)
    #expect(factors[0...3] == factors[0...3].sorted()[...])
    #expect(factors[3...] == factors[3...].sorted(by: >)[...])
  }

  @Test func parses() throws {
    func parse(_ text: String) throws -> Schedule {
      try Schedule(parsing: text, stepsPerEpoch: 10, epochs: 5)
    }
    #expect(try parse("constant") == .constant)
    #expect(try parse("step:2:0.5") == .step(every: 20, factor: 0.5))
    #expect(try parse("cosine") == .cosine(steps: 50, end: 0))
    #expect(try parse("linear:0.1") == .linear(steps: 50, end: 0.1))
    #expect(try parse("warm-up:0.5+cosine") == .warmUp(steps: 5, then: .cosine(steps: 45, end: 0)))
    #expect(try parse("one-cycle") == .oneCycle(steps: 50))
  }

  /// A warm-up and what follows take the run's steps, whatever both are rounded to; none at all is none.
  @Test(arguments: [0, 0.04, 0.05, 0.14, 0.15, 1, 4.96, 5, 7])
  func warmUpsAreAsLongAsTheySay(length: Double) throws {
    let schedule = try Schedule(parsing: "warm-up:\(length)+linear", stepsPerEpoch: 10, epochs: 5)
    let warm = Int((10 * length).rounded())
    let rest = Schedule.linear(steps: max(0, 50 - warm))
    #expect(schedule == (warm == 0 ? rest : .warmUp(steps: warm, then: rest)))
    #expect(schedule.factor(step: max(50, warm)) == 0)
    let without = try Schedule(parsing: "linear", stepsPerEpoch: 10, epochs: 5)
    if warm == 0 { #expect(schedule == without) }
  }

  @Test func cyclesWithoutARiseBeginAtTheTop() {
    #expect(Schedule.oneCycle(steps: 10, rise: 0).factor(step: 0) == 1)
    #expect(Schedule.oneCycle(steps: 10, rise: 1).factor(step: 9) < 1)
    #expect(Schedule.oneCycle(steps: 10, rise: 1).factor(step: 10) == 1)
  }

  @Test(arguments: [
    "warm-up:1e300", "step:1e300", "step:inf", "step:nan", "cosine:0x1p2000", "one-cycle:1.1",
    "warm-up:1:2+cosine",
    "warm-up:1+warm-up:1+cosine", ":", "+", "::::::", "warm-up:1+", "step:1e-400", "cosine:1e-400",
    String(repeating: "warm-up:1+", count: 100_000),
    "", "cos", "step", "step:0", "cosine:-1", "constant:1", "cosine+linear", "warm-up", "step:1:2:3",
  ])
  func refusesOtherText(text: String) {
    #expect(throws: ScheduleError.self) { try Schedule(parsing: text, stepsPerEpoch: 10, epochs: 5) }
  }
}
