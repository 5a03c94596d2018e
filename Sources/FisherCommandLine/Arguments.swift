import FisherRuntime

/// Wrong usage or bad input: one clear line, exit status 2.
package struct UsageError: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// The arguments of a subcommand: positional words and `--name value` options, checked against what is known.
package struct Arguments {
  package let positional: [String]
  private var values: [String: [String]] = [:]
  private var flags: Set<String> = []

  /// - Parameters:
  ///   - options: the names that take a value, without dashes; they may be repeated.
  ///   - flags: the names that stand alone.
  ///   - hint: what to say of an option that is unknown; nil for the nearest names.
  /// - Throws: ``UsageError`` for an unknown option, with the nearest known one, or a missing value.
  package init(
    _ arguments: [String], options: [String], flags: [String] = [], hint: (String) -> String? = { _ in nil }
  ) throws(UsageError) {
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
        let near = Spelling.hint(for: name, among: options + flags, prefix: "--")
        throw UsageError("unknown option \(oneLine("--" + name.prefix(60)))\(hint(name) ?? near)")
      }
    }
    self.positional = positional
  }

  /// Whether the flag was given.
  package func has(_ flag: String) -> Bool { flags.contains(flag) }

  /// The last value of an option.
  package func value(_ name: String) -> String? { values[name]?.last }

  /// All values of an option, as they were given.
  package func all(_ name: String) -> [String] { values[name] ?? [] }

  /// All values of an option, split at commas.
  package func list(_ name: String) -> [String]? {
    values[name]?.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
  }
}

extension Arguments {
  /// The last value of an option as a count of at least one.
  ///
  /// - Throws: ``UsageError`` if it is anything else, or above `most`.
  package func count(_ name: String, atMost most: Int = NumberText.most) throws(UsageError) -> Int? {
    try counts(name, atMost: most)?.last
  }

  /// All values of an option, split at commas, as counts.
  ///
  /// - Throws: ``UsageError`` if one of them is no integer, below `least` or above `most`.
  package func counts(
    _ name: String, atLeast least: Int = 1, atMost most: Int = NumberText.most
  ) throws(UsageError) -> [Int]? {
    guard let texts = list(name) else { return nil }
    var counts: [Int] = []
    for text in texts {
      do { counts.append(try NumberText.integer(text, from: least, to: most)) } catch {
        throw UsageError("--\(name): \(error)")
      }
    }
    return counts
  }

  /// What `name=value` texts assign; of a name that comes twice, the last.
  package static func assignments(_ texts: [String]) throws(UsageError) -> [String: String] {
    var values: [String: String] = [:]
    for text in texts {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2 else { throw UsageError("\(quoted(text)) is not of the form name=value") }
      values[parts[0]] = parts[1]
    }
    return values
  }
}
