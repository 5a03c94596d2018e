import FisherRuntime

/// A name that is taken or does not exist.
public struct RegistryError: Error, Equatable, CustomStringConvertible {
  public let description: String
}

/// The optimizers that a program knows, by name. A value, filled by explicit lines; the order of the listing is the
/// order of the names, whatever was imported or registered first.
public struct OptimizerRegistry: Sendable {
  private var types: [String: any Optimizer.Type] = [:]
  /// What goes around them, by their prefixes.
  private var parts: [String: any OptimizerPart.Type] = [:]

  public init() {}

  /// - Throws: ``RegistryError`` for a duplicate name.
  public init(
    _ types: [any Optimizer.Type], parts: [any OptimizerPart.Type] = []
  ) throws(RegistryError) {
    for type in types { try register(type) }
    for part in parts { try register(part) }
  }

  /// Adds an optimizer under the name in its record.
  ///
  /// - Throws: ``RegistryError`` if another has the name.
  public mutating func register(_ type: any Optimizer.Type) throws(RegistryError) {
    try Self.add(type, to: &types, as: type.record.name, "optimizers")
  }

  /// Adds a part under the prefix in its record.
  ///
  /// - Throws: ``RegistryError`` if another has the name.
  public mutating func register(_ part: any OptimizerPart.Type) throws(RegistryError) {
    try Self.add(part, to: &parts, as: part.record.prefix, "parts")
  }

  private static func add<T>(
    _ type: T, to table: inout [String: T], as name: String, _ kind: String
  ) throws(RegistryError) {
    if let other = table[name] {
      throw RegistryError(
        description:
          "two \(kind) are named '\(name)': \(String(reflecting: other)) and \(String(reflecting: type))")
    }
    table[name] = type
  }

  /// The records of all parts, sorted by name.
  public var partRecords: [PartRecord] { partNames.compactMap { parts[$0]?.record } }

  /// The names of all parts, sorted.
  public var partNames: [String] { parts.keys.sorted() }

  /// The part of this name.
  ///
  /// - Throws: ``RegistryError`` with the nearest names if there is none.
  public func part(_ name: String) throws(RegistryError) -> any OptimizerPart.Type {
    guard let part = parts[name] else {
      throw RegistryError(
        description: "unknown part \(quoted(name))\(Spelling.hint(for: name, among: partNames))")
    }
    return part
  }

  /// All names, sorted.
  public var names: [String] { types.keys.sorted() }

  /// All records, sorted by name.
  public var records: [OptimizerRecord] { names.compactMap { types[$0]?.record } }

  /// The optimizer of this name, or with parts around it: `adam + caution`.
  ///
  /// - Throws: ``RegistryError`` with the nearest names if there is none.
  public func type(_ name: String) throws(RegistryError) -> any Optimizer.Type {
    guard CompositionText.isComposed(name) else { return try method(name) }
    let (type, texts) = try composition(name)
    if let setting = texts.keys.min() {
      throw RegistryError(
        description:
          "\(quoted(name)): hyper-parameters have no place in a name here; say \(setting)=… beside it")
    }
    return type
  }

  /// The optimizer that a text describes, with what it sets: `adam(lr=3e-3) + trust-ratio(min=0.1)`.
  ///
  /// Parts stand in the order in which they go around the method, the innermost first. `graft(sgd, lr=0.1)` takes another
  /// optimizer and its hyper-parameters.
  ///
  /// - Returns: the type, and the texts of hyper-parameters by their names in it, `trust-ratio.min`.
  /// - Throws: ``RegistryError`` that names what is wrong.
  public func composition(
    _ text: String
  ) throws(RegistryError) -> (type: any Optimizer.Type, settings: [String: String]) {
    let words = try CompositionText(text).words
    if let argument = words[0].argument {
      throw RegistryError(
        description: "\(quoted(text)): \(words[0].name) takes name=value, not \(quoted(argument))")
    }
    var (type, settings) = (try method(words[0].name), words[0].settings)
    for word in words.dropFirst() {
      var part = try part(word.name)
      if let argument = word.argument {
        guard let taking = part.taking(try method(argument)) else {
          throw RegistryError(
            description: "\(quoted(text)): \(word.name) takes name=value, not \(quoted(argument))")
        }
        part = taking
      }
      type = try part.around(type)
      for (name, value) in word.settings { settings[part.record.named(name)] = value }
    }
    return (type, settings)
  }

  private func method(_ name: String) throws(RegistryError) -> any Optimizer.Type {
    if let type = types[name] { return type }
    if parts[name] != nil {
      throw RegistryError(description: "\(quoted(name)) is a part, which goes around a method: sgd + \(name)")
    }
    throw RegistryError(
      description: "unknown optimizer \(quoted(name))\(Spelling.hint(for: name, among: names))")
  }
}
