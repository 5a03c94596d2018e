/// A pattern for parameter names: `*` stands for any characters, `?` for one, everything else for itself.
public struct NamePattern: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
  public let text: String

  public init(_ text: String) { self.text = text }
  public init(stringLiteral text: String) { self.text = text }

  public var description: String { text }

  /// Whether the whole name fits. O(pattern · name).
  public func matches(_ name: String) -> Bool {
    let (pattern, name) = (Array(text), Array(name))
    // reachable[i]: the pattern so far matches the first i characters.
    var reachable = [true] + [Bool](repeating: false, count: name.count)
    for symbol in pattern {
      var next = [Bool](repeating: false, count: name.count + 1)
      for i in 0...name.count {
        switch symbol {
        case "*": next[i] = reachable[i] || (i > 0 && next[i - 1])
        case "?": next[i] = i > 0 && reachable[i - 1]
        default: next[i] = i > 0 && reachable[i - 1] && name[i - 1] == symbol
        }
      }
      reachable = next
    }
    return reachable[name.count]
  }
}
