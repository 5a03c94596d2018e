/// A text from outside for a message of one line: in quotes, cut after so many characters, control characters spelt out.
package func quoted(_ text: some StringProtocol, atMost most: Int = 60) -> String {
  let head = text.prefix(most)
  let isCut = head.endIndex != text.endIndex
  return "'" + oneLine(head) + (isCut ? "…" : "") + "'"
}

/// A text on one line: line ends and other control characters are spelt out.
package func oneLine(_ text: some StringProtocol) -> String {
  var line = ""
  for scalar in text.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: line += scalar.escaped(asASCII: true)
    default: line.unicodeScalars.append(scalar)
    }
  }
  return line
}
