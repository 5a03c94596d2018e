/// Wrong usage or bad input: one clear line, exit status 2.
public struct UsageError: Error, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

/// The arguments of a subcommand: positional words and `--name value` options, checked against what is known.
public struct Arguments {
  public let positional: [String]
  private var values: [String: [String]] = [:]
  private var flags: Set<String> = []

  /// - Parameters:
  ///   - options: the names that take a value, without dashes; they may be repeated.
  ///   - flags: the names that stand alone.
  /// - Throws: ``UsageError`` for an unknown option, with the nearest known one, or a missing value.
  public init(_ arguments: [String], options: [String], flags: [String] = []) throws(UsageError) {
    var positional: [String] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      guard argument.hasPrefix("--") else {
        positional.append(argument)
        continue
      }
      let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      if flags.contains(name), parts.count == 1 {
        self.flags.insert(name)
      } else if options.contains(name) {
        guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
          throw UsageError("--\(name) needs a value")
        }
        values[name, default: []].append(value)
      } else {
        throw UsageError(
          "unknown option --\(name)\(suggestion(for: name, among: options + flags, prefix: "--"))")
      }
    }
    self.positional = positional
  }

  /// Whether the flag was given.
  public func has(_ flag: String) -> Bool { flags.contains(flag) }

  /// The last value of an option.
  public func value(_ name: String) -> String? { values[name]?.last }

  /// All values of an option, split at commas.
  public func list(_ name: String) -> [String]? {
    values[name]?.flatMap { $0.split(separator: ",").map(String.init) }
  }
}

/// ` (did you mean 'gemm'?)` if a known word is near, else the list of what there is.
public func suggestion(for word: String, among known: [String], prefix: String = "") -> String {
  let near = known.map { (word: $0, distance: editDistance(word, $0)) }.min { $0.distance < $1.distance }
  if let near, near.distance <= max(2, word.count / 3) { return "; did you mean \(prefix)\(near.word)?" }
  return "; known: " + known.map { prefix + $0 }.joined(separator: ", ")
}

/// Insertions, deletions and replacements that turn one word into the other.
func editDistance(_ a: String, _ b: String) -> Int {
  let (a, b) = (Array(a), Array(b))
  var row = Array(0...b.count)
  for i in 0..<a.count {
    var diagonal = row[0]
    row[0] = i + 1
    for j in 0..<b.count {
      let replaced = diagonal + (a[i] == b[j] ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
    }
  }
  return row[b.count]
}

extension Arguments {
  /// What `name=value` texts assign; of a name that comes twice, the last.
  package static func assignments(_ texts: [String]) throws(UsageError) -> [String: String] {
    var values: [String: String] = [:]
    for text in texts {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2 else { throw UsageError("'\(text)' is not of the form name=value") }
      values[parts[0]] = parts[1]
    }
    return values
  }
}
