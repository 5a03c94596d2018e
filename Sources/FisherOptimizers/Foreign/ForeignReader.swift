import FisherPluginABI
import FisherRuntime

/// Reads what the table of a plugin points at, and trusts none of it.
struct ForeignReader {
  /// The most hyper-parameters, and the most slots, of an optimizer.
  static let mostEntries = 64
  private static let mostNameBytes = 64
  private static let mostTextBytes = 4096

  let path: String
  /// The optimizer's name, once it is known.
  var optimizer = ""

  func invalid(_ reason: String) -> PluginError {
    .invalid(path: path, optimizer: optimizer, reason: reason)
  }

  func required<T>(_ value: T?, _ what: String) throws(PluginError) -> T {
    guard let value else { throw .incomplete(path: path, optimizer: optimizer, missing: what) }
    return value
  }

  /// A text for people.
  func text(_ pointer: UnsafePointer<CChar>?, _ what: String) throws(PluginError) -> String {
    try string(pointer, what, atMost: Self.mostTextBytes)
  }

  /// A name: letters of ASCII, digits, `-` and `_`, a letter first; such names are safe in files and on command lines.
  func name(
    _ pointer: UnsafePointer<CChar>?, _ what: String, isLowerCase: Bool = false
  ) throws(PluginError) -> String {
    let name = try string(pointer, what, atMost: Self.mostNameBytes)
    let isPlain = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
        true
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): !isLowerCase
      default: false
      }
    }
    guard isPlain, name.first?.isLetter == true else {
      let letters = isLowerCase ? "lower-case letters, digits and -" : "letters, digits, - and _"
      throw invalid("the \(what) is \(quoted(name)); it must be of \(letters), a letter first")
    }
    return name
  }

  /// How many entries a list has.
  func count(_ count: UInt32, _ what: String) throws(PluginError) -> Int {
    guard count <= Self.mostEntries else {
      throw invalid("it has \(count) \(what); at most \(Self.mostEntries) can be")
    }
    return Int(count)
  }

  func requireDistinct(_ names: [String], _ what: String) throws(PluginError) {
    var seen: Set<String> = []
    for name in names where !seen.insert(name).inserted {
      throw invalid("two \(what) are named \(quoted(name))")
    }
  }

  private func string(
    _ pointer: UnsafePointer<CChar>?, _ what: String, atMost most: Int
  ) throws(PluginError) -> String {
    let pointer = try required(pointer, what)
    let length = strnlen(pointer, most + 1)
    guard length <= most else { throw invalid("its \(what) has more than \(most) bytes") }
    guard let string = String(validatingCString: pointer) else { throw invalid("its \(what) is not UTF-8") }
    guard !string.isEmpty else { throw invalid("its \(what) is empty") }
    return string
  }
}
