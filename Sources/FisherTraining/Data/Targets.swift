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

/// What the targets of a table are.
public enum TargetKind: Sendable, Hashable {
  /// A class in each row.
  case classes
  /// A number in each row.
  case regression
  /// The numbers of these columns, in this order, by their names in the header; in a file without one by their places, from 1.
  case columns([String])

  /// `classes`, `regression`, or names with commas between them; nil if one of these is empty.
  public init?(_ text: String) {
    switch text {
    case "classes": self = .classes
    case "regression": self = .regression
    default:
      let names = text.split(separator: ",", omittingEmptySubsequences: false).map {
        String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
      }
      if names.contains("") { return nil }
      self = .columns(names)
    }
  }
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
