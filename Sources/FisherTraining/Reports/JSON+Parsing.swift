import Foundation

extension JSON: Decodable {
  /// Reads one value.
  ///
  /// - Parameter text: JSON, such as a line of a log.
  /// - Throws: a `DecodingError` if the text is no JSON. Keys come in the order of their names.
  public init(parsing text: some StringProtocol) throws {
    self = try JSONDecoder().decode(JSON.self, from: Data(text.utf8))
  }

  public init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let int = try? value.decode(Int.self) {
      self = .int(int)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let string = try? value.decode(String.self) {
      self = .string(string)
    } else if let array = try? value.decode([JSON].self) {
      self = .array(array)
    } else {
      self = .object(
        try value.decode([String: JSON].self).sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    }
  }

  /// The member of an object; nil if there is none of that name, or this is no object.
  public subscript(_ name: String) -> JSON? {
    if case .object(let members) = self { members.first { $0.0 == name }?.1 } else { nil }
  }

  /// A number, whole or not; nil for anything else.
  public var double: Double? {
    switch self {
    case .int(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// A string; nil for anything else.
  public var string: String? { if case .string(let text) = self { text } else { nil } }

  /// The members of an object; none for anything else.
  public var members: [(String, JSON)] { if case .object(let members) = self { members } else { [] } }
}
