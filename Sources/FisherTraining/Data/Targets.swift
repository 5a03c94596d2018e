import FisherRuntime

/// What a network shall say to an example.
public enum Targets: Sendable, Equatable {
  /// Classes below `count`: one for each example, or for each of its positions, example by example. −1 for a position
  /// that does not count.
  case classes([Int], count: Int)
  /// `width` numbers for each example, example by example: a regression.
  case values([Float], width: Int)
  /// The example itself: an autoencoder.
  case inputs
}

/// What the target column of a table holds.
public enum TargetKind: String, Sendable, CaseIterable {
  /// A class in each row.
  case classes
  /// A number in each row.
  case regression
}

extension Targets {
  /// Traps unless there are as many for each of `examples`.
  func require(examples: Int) {
    switch self {
    case .classes(let classes, _):
      let isWhole = examples == 0 ? classes.isEmpty : classes.count >= 1 && classes.count % examples == 0
      FisherRuntime.require(isWhole, "\(classes.count) classes for \(examples) examples")
    case .values(let values, let width):
      FisherRuntime.require(
        width >= 1 && values.count == examples * width,
        "\(values.count) target values for \(examples) examples of \(width)")
    case .inputs: break
    }
  }

  /// Those of the examples at these places, of `examples` in all.
  package func selecting(_ places: [Int], of examples: Int) -> Targets {
    func rows<T>(_ all: [T], _ width: Int) -> [T] {
      width == 1 ? places.map { all[$0] } : places.flatMap { all[$0 * width..<($0 + 1) * width] }
    }
    switch self {
    case .classes(let classes, let count):
      return .classes(rows(classes, max(1, classes.count / max(1, examples))), count: count)
    case .values(let values, let width): return .values(rows(values, width), width: width)
    case .inputs: return .inputs
    }
  }
}
