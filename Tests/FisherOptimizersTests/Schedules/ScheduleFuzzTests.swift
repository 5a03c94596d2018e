import FisherOptimizers
import FisherTestSupport
import Testing

/// Whatever the text: an error, or a schedule whose factors are numbers.
@Test func schedulesSurviveAnyText() {
  let texts = [
    "constant", "step:2:0.5", "step:10", "cosine", "cosine:0.1", "linear:0.01", "one-cycle", "one-cycle:0.3",
    "warm-up:0.5+cosine", "warm-up:2+step:3:0.1", "warm-up:1",
  ]
  let accepted = fuzz("schedules", texts.map { Array($0.utf8) }) { bytes in
    let text = String(decoding: bytes, as: UTF8.self)
    let schedule = try Schedule(parsing: text, stepsPerEpoch: 90, epochs: 30)
    for step in [0, 1, 89, 2699, 2700, 1 << 40] {
      precondition(
        schedule.factor(step: step) >= 0, "\(text): \(schedule.factor(step: step)) in step \(step)")
    }
  }
  #expect(accepted > 1000)
}
