import FisherLinearAlgebra
import FisherRuntime
import Synchronization

/// The slots of states that were asked for, by the states' types: reflection takes longer than a small update.
private let knownSlots = Mutex<[ObjectIdentifier: [String]]>([:])

extension UpdateRule {
  /// The names of the slots, in the order of the state's lanes; nil for those that go unused.
  ///
  /// - Precondition: the state consists of lanes alone.
  @usableFromInline var slots: [String?] {
    let absent = Set(unused.map { MemoryLayout<State>.offset(of: $0)! / MemoryLayout<Lanes<Scalar>>.stride })
    return Self.slotNames.enumerated().map { absent.contains($0) ? nil : $1 }
  }

  /// The names of the properties of the state.
  static var slotNames: [String] {
    if slotCount == 0 && MemoryLayout<State>.size == 0 { return [] }
    let key = ObjectIdentifier(State.self)
    if let known = knownSlots.withLock({ $0[key] }) { return known }
    let names = Mirror(reflecting: noState).children.map { child in
      require(
        child.value is Lanes<Scalar>,
        "UpdateRule: \(State.self) has a \(type(of: child.value)) named \(child.label ?? "?"); "
          + "it must consist of Lanes<\(Scalar.self)> alone")
      return child.label ?? ""
    }
    require(
      names.count * MemoryLayout<Lanes<Scalar>>.stride == MemoryLayout<State>.size,
      "UpdateRule: \(State.self) is not a struct whose properties are all stored lanes")
    knownSlots.withLock { $0[key] = names }
    return names
  }
}
