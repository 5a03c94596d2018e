/// A JSON value that keeps the order of its keys.
public indirect enum JSON {
  case null
  case bool(Bool)
  case int(Int)
  case number(Double)
  case string(String)
  case array([JSON])
  case object([(String, JSON)])

  /// The text on one line. Numbers that JSON cannot express are null; six significant digits otherwise.
  public var text: String {
    switch self {
    case .null: return "null"
    case .bool(let value): return value ? "true" : "false"
    case .int(let value): return String(value)
    case .number(let value): return value.isFinite ? "\(rounded(value))" : "null"
    case .string(let value): return Self.quoted(value)
    case .array(let values): return "[" + values.map(\.text).joined(separator: ",") + "]"
    case .object(let members):
      return "{" + members.map { Self.quoted($0.0) + ":" + $0.1.text }.joined(separator: ",") + "}"
    }
  }

  private func rounded(_ value: Double) -> Double {
    var scale = 1.0
    while abs(value) * scale < 1e5 && scale < 1e300 { scale *= 10 }
    let result = (value * scale).rounded() / scale
    // So close to zero that the scale ends before the digits do: keep them all.
    return result == 0 ? value : result
  }

  private static func quoted(_ text: String) -> String {
    let quote = UInt8(ascii: "\""), backslash = UInt8(ascii: "\\")
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != quote && $0 != backslash }) { return "\"\(text)\"" }
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      default:
        if scalar.value < 0x20 {
          let hex = String(scalar.value, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }
}
