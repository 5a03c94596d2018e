import FisherRuntime

/// `adam(lr=3e-3) + caution + graft(sgd, lr=0.1)` as its words: names, each with what stands in parentheses.
struct CompositionText: Equatable {
  struct Word: Equatable {
    let name: String
    /// A word without `=` in the parentheses: the optimizer that a part takes.
    var argument: String?
    var settings: [String: String] = [:]
  }

  let words: [Word]

  /// Whether a text is more than a name.
  static func isComposed(_ text: String) -> Bool { text.contains { "+(".contains($0) } }

  /// - Throws: ``RegistryError`` that names the place.
  init(_ text: String) throws(RegistryError) {
    var words: [Word] = []
    for piece in Self.pieces(text) { words.append(try Word(piece, in: text)) }
    self.words = words
  }

  /// What stands between the `+` outside of parentheses.
  private static func pieces(_ text: String) -> [String] {
    var (pieces, depth) = ([""], 0)
    for character in text {
      if character == "(" { depth += 1 }
      if character == ")" { depth -= 1 }
      if character == "+" && depth <= 0 {
        pieces.append("")
      } else {
        pieces[pieces.count - 1].append(character)
      }
    }
    return pieces.map(trimmed)
  }

  fileprivate static func trimmed(_ text: some StringProtocol) -> String {
    String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}

extension CompositionText.Word {
  fileprivate init(_ piece: String, in text: String) throws(RegistryError) {
    func failure(_ reason: String) -> RegistryError {
      RegistryError(description: "\(quoted(text)): \(reason)")
    }
    guard let open = piece.firstIndex(of: "(") else {
      if piece.contains(")") { throw failure("a ')' without '('") }
      if piece.isEmpty { throw failure("a name is missing beside '+'") }
      self.init(name: piece)
      return
    }
    let name = CompositionText.trimmed(piece[..<open])
    if name.isEmpty { throw failure("a name is missing before '('") }
    guard piece.last == ")" else { throw failure("\(name) has no ')' at its end") }
    let inside = piece[piece.index(after: open)...].dropLast()
    if inside.contains(where: { "()".contains($0) }) {
      throw failure("parentheses of \(name) in parentheses")
    }
    self.init(name: name)
    if CompositionText.trimmed(inside).isEmpty { return }
    for item in inside.split(separator: ",", omittingEmptySubsequences: false) {
      let sides = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        .map(CompositionText.trimmed)
      if sides.contains("") {
        throw failure("\(name) has \(quoted(CompositionText.trimmed(item))), which is no name=value")
      }
      if sides.count == 1 {
        if argument != nil { throw failure("\(name) has two words without '='") }
        argument = sides[0]
      } else if settings.updateValue(sides[1], forKey: sides[0]) != nil {
        throw failure("\(name) sets \(sides[0]) twice")
      }
    }
  }
}
