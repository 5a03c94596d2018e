import FisherRuntime

/// A name that is taken or does not exist.
public struct RegistryError: Error, Equatable, CustomStringConvertible {
  public let description: String
}

/// The optimizers that a program knows, by name. A value, filled by explicit lines; the order of the listing is the
/// order of the names, whatever was imported or registered first.
public struct OptimizerRegistry: Sendable {
  private var types: [String: any Optimizer.Type] = [:]

  public init() {}

  /// - Throws: ``RegistryError`` for a duplicate name.
  public init(_ types: [any Optimizer.Type]) throws(RegistryError) {
    for type in types { try register(type) }
  }

  /// Adds an optimizer under the name in its record.
  ///
  /// - Throws: ``RegistryError`` if another has the name.
  public mutating func register(_ type: any Optimizer.Type) throws(RegistryError) {
    let name = type.record.name
    if let other = types[name] {
      throw RegistryError(
        description:
          "two optimizers are named '\(name)': \(String(reflecting: other)) and \(String(reflecting: type))")
    }
    types[name] = type
  }

  /// All names, sorted.
  public var names: [String] { types.keys.sorted() }

  /// All records, sorted by name.
  public var records: [OptimizerRecord] { names.compactMap { types[$0]?.record } }

  /// The optimizer of this name.
  ///
  /// - Throws: ``RegistryError`` with the nearest names if there is none.
  public func type(_ name: String) throws(RegistryError) -> any Optimizer.Type {
    guard let type = types[name] else {
      throw RegistryError(
        description: "unknown optimizer \(quoted(name))\(Spelling.hint(for: name, among: names))")
    }
    return type
  }
}
