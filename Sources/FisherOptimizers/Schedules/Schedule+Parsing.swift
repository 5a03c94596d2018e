/// A schedule that cannot be read.
public struct ScheduleError: Error, Equatable, CustomStringConvertible {
  public let description: String
}

extension Schedule {
  /// The spellings that ``init(parsing:stepsPerEpoch:epochs:)`` reads.
  public static let spellings = [
    "constant", "step:EPOCHS[:FACTOR]", "cosine[:END]", "linear[:END]", "one-cycle[:RISE]",
    "warm-up:EPOCHS+SCHEDULE",
  ]

  /// A schedule from text, whose lengths count in epochs and end with the run.
  ///
  /// - Parameters:
  ///   - text: one of ``spellings``: `cosine`, `step:10:0.1`, `warm-up:2+cosine`.
  ///   - stepsPerEpoch: the steps of an epoch.
  ///   - epochs: the epochs of the run.
  /// - Throws: ``ScheduleError``.
  public init(parsing text: String, stepsPerEpoch: Int, epochs: Double) throws(ScheduleError) {
    func wrong(_ what: String) -> ScheduleError {
      ScheduleError(
        description: "schedule '\(text)': \(what); there are: " + Schedule.spellings.joined(separator: ", "))
    }
    let parts = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
    let words = parts[0].split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    var numbers: [Double] = []
    for word in words.dropFirst() {
      guard let number = Double(word), number.isFinite, number >= 0 else {
        throw wrong("'\(word)' is not a number of at least 0")
      }
      numbers.append(number)
    }
    func steps(_ epochs: Double) -> Int { max(1, Int((epochs * Double(stepsPerEpoch)).rounded())) }
    let most = words[0] == "step" ? 2 : words[0] == "constant" ? 0 : 1
    if numbers.count > most { throw wrong("too many numbers") }
    if words[0] != "warm-up" && parts.count > 1 { throw wrong("only warm-up is followed by +") }
    switch words[0] {
    case "constant": self = .constant
    case "step":
      guard let every = numbers.first, every > 0 else { throw wrong("step needs a number of epochs") }
      self = .step(every: steps(every), factor: numbers.count > 1 ? numbers[1] : 0.1)
    case "cosine": self = .cosine(steps: steps(epochs), end: numbers.first ?? 0)
    case "linear": self = .linear(steps: steps(epochs), end: numbers.first ?? 0)
    case "one-cycle":
      let rise = numbers.first ?? 0.3
      guard rise <= 1 else { throw wrong("the rise is a fraction of the run") }
      self = .oneCycle(steps: steps(epochs), rise: rise)
    case "warm-up":
      guard let length = numbers.first else { throw wrong("warm-up needs a number of epochs") }
      let rest = parts.count > 1 ? String(parts[1]) : "constant"
      self = .warmUp(
        steps: steps(length),
        then: try Schedule(parsing: rest, stepsPerEpoch: stepsPerEpoch, epochs: max(0, epochs - length)))
    default: throw wrong("'\(words[0])' is not a schedule")
    }
  }
}
