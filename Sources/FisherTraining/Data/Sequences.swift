/// Sequences of tokens that follow a rule: small tasks for attention, with one right answer for each position that counts.
///
/// Each example follows from the seed and its number.
public enum Sequences {
  /// Associative recall (Arora et al. 2024, multi-query): four pairs of a key and a value, then the four keys in another
  /// order, each of which is to be answered with its value. Eight keys and eight values, which are drawn anew for each example.
  ///
  /// Tokens 0 ..< 8 are keys, 8 ..< 16 values; classes are those of the tokens.
  public static func recall(train: Int = 4096, test: Int = 512, seed: UInt64 = 1) -> DataSplit {
    split("recall", train, test, vocabulary: 16) { number in
      var generator = KeyedGenerator(seed, Purpose.recall, UInt64(number))
      let keys = Array(generator.permutation(8).prefix(4))
      let values = keys.map { _ in 8 + generator.below(8) }
      let asked = generator.permutation(4)
      return (
        (0..<4).flatMap { [keys[$0], values[$0]] } + asked.map { keys[$0] },
        [Int](repeating: -1, count: 8) + asked.map { values[$0] }
      )
    }
  }

  /// Six digits, a separator (token 10), and the same digits in order, each from those before it.
  public static func sorting(train: Int = 4096, test: Int = 512, seed: UInt64 = 1) -> DataSplit {
    let length = 6
    return split("sorting", train, test, vocabulary: 11) { number in
      var generator = KeyedGenerator(seed, Purpose.sorting, UInt64(number))
      let digits = (0..<length).map { _ in generator.below(10) }
      let sorted = digits.sorted()
      return (digits + [10] + sorted.dropLast(), [Int](repeating: -1, count: length) + sorted)
    }
  }

  /// The test's examples are those behind the training's.
  private static func split(
    _ name: String, _ train: Int, _ test: Int, vocabulary: Int,
    _ example: (_ number: Int) -> (tokens: [Int], classes: [Int])
  ) -> DataSplit {
    func examples(_ numbers: Range<Int>) -> Dataset {
      let all = numbers.map(example)
      return Dataset(
        name: name, sequences: all.map(\.tokens), vocabulary: vocabulary, classes: all.map(\.classes),
        classCount: vocabulary)
    }
    return DataSplit(train: examples(0..<train), test: examples(train..<train + test))
  }
}
