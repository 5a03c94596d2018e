import FisherCommandLine
import FisherKit
import FisherRuntime

/// The name of a new optimizer: `heavy-ball` on the command line, `HeavyBall` in Swift.
struct OptimizerName {
  let text: String
  let type: String

  /// - Throws: `UsageError` if it cannot be the name of an optimizer, or is one already.
  init(_ text: String) throws(UsageError) {
    let isPlain = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
        true
      default: false
      }
    }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard isPlain, text.first?.isLetter == true, text.utf8.count <= 64, !parts.contains("") else {
      throw UsageError(
        "the name is \(quoted(text)); it must be of lower-case letters and digits, a letter first, with single - between"
      )
    }
    if OptimizerRegistry.installed.names.contains(text) {
      throw UsageError("there is an optimizer \(quoted(text)) already")
    }
    self.text = text
    let joined = parts.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    // Names that the template itself uses mean other things.
    let taken = [
      "Optimizer", "Matrix", "Step", "Element", "Lanes", "Setting", "Formula", "Cost", "Float", "Double",
      "Int",
    ]
    type = taken.contains(joined) ? joined + "Method" : joined
  }
}
