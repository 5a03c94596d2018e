/// What a check found wrong: one line each, enough to run the case again.
///
/// Only the first few are kept; a check may stop when `isFull`.
public struct Violations: CustomStringConvertible, Sendable {
  public private(set) var lines: [String] = []

  public init() {}

  public var isEmpty: Bool { lines.isEmpty }
  public var isFull: Bool { lines.count >= 5 }

  public mutating func add(_ line: @autoclosure () -> String) {
    if !isFull { lines.append(line()) }
  }

  /// Adds the line unless the condition holds.
  @inlinable
  public mutating func expect(_ condition: Bool, _ line: @autoclosure () -> String) {
    if !condition { add(line()) }
  }

  public static func += (all: inout Violations, more: Violations) {
    for line in more.lines { all.add(line) }
  }

  public var description: String { lines.joined(separator: "\n") }
}
