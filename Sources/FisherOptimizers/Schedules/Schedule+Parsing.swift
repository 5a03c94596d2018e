import FisherRuntime

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
  /// - Throws: ``ScheduleError``, also if the run or a length has more than 10¹² steps.
  public init(parsing text: String, stepsPerEpoch: Int, epochs: Double) throws(ScheduleError) {
    do {
      let run = try Self.steps(epochs, of: stepsPerEpoch)
      let parts = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
      let first = Words(parts[0])
      if first.name == "warm-up" {
        try first.take(1)
        let length = try Self.steps(
          try first.required(0, .nonNegative, "a number of epochs"), of: stepsPerEpoch)
        let rest = Words(parts.count > 1 ? parts[1] : "constant")
        // Together as long as the run, however both are rounded.
        let next = try Schedule(rest, stepsPerEpoch: stepsPerEpoch, run: max(0, run - length))
        self = length == 0 ? next : .warmUp(steps: length, then: next)
      } else if parts.count > 1 {
        throw NumberError(description: "only warm-up is followed by +")
      } else {
        self = try Schedule(first, stepsPerEpoch: stepsPerEpoch, run: run)
      }
    } catch {
      throw ScheduleError(
        description: "schedule \(quoted(text)): \(error); there are: "
          + Schedule.spellings.joined(separator: ", "))
    }
  }

  /// A schedule without a warm-up, over so many steps.
  private init(_ words: Words, stepsPerEpoch: Int, run: Int) throws(NumberError) {
    switch words.name {
    case "constant":
      try words.take(0)
      self = .constant
    case "step":
      try words.take(2)
      let every = try Self.steps(try words.required(0, .positive, "a number of epochs"), of: stepsPerEpoch)
      self = .step(every: max(1, every), factor: try words.number(1, .nonNegative) ?? 0.1)
    case "cosine":
      try words.take(1)
      self = .cosine(steps: run, end: try words.number(0, .nonNegative) ?? 0)
    case "linear":
      try words.take(1)
      self = .linear(steps: run, end: try words.number(0, .nonNegative) ?? 0)
    case "one-cycle":
      try words.take(1)
      self = .oneCycle(steps: run, rise: try words.number(0, .closed(0, 1)) ?? 0.3)
    case "warm-up": throw NumberError(description: "there is one warm-up, at the beginning")
    default: throw NumberError(description: "\(quoted(words.name)) is not a schedule")
    }
  }

  /// The steps of so many epochs, rounded.
  private static func steps(_ epochs: Double, of stepsPerEpoch: Int) throws(NumberError) -> Int {
    let steps = (epochs * Double(stepsPerEpoch)).rounded()
    guard steps <= Double(NumberText.most) else {
      throw NumberError(
        description:
          "\(shortest(epochs)) epochs of \(stepsPerEpoch) steps are more than \(NumberText.most) steps")
    }
    return Int(steps)
  }
}

/// `step:10:0.1`, a name and the texts of its numbers.
private struct Words {
  let name: String
  let texts: [Substring]

  init(_ text: Substring) {
    let words = text.split(separator: ":", maxSplits: 4, omittingEmptySubsequences: false)
    name = String(words[0])
    texts = Array(words.dropFirst())
  }

  /// At most so many numbers may follow.
  func take(_ most: Int) throws(NumberError) {
    if texts.count > most { throw NumberError(description: "too many numbers") }
  }

  /// Nil if the text ends before it.
  func number(_ place: Int, _ range: RealRange) throws(NumberError) -> Double? {
    place < texts.count ? try NumberText.real(texts[place], range) : nil
  }

  func required(_ place: Int, _ range: RealRange, _ what: String) throws(NumberError) -> Double {
    guard let value = try number(place, range) else {
      throw NumberError(description: "\(name) needs \(what)")
    }
    return value
  }
}
