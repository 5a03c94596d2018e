public import FisherLinearAlgebra

/// The address of a piece of state: whose it is, and what it is.
public struct SlotKey: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The name of a parameter, a layer or an optimizer.
  public let owner: String
  /// `m`, `v`, `S`: the letter of the paper where it has one.
  public let slot: String

  public init(_ owner: String, _ slot: String) {
    self.owner = owner
    self.slot = slot
  }

  /// The inverse of ``description``; nil without a slash.
  public init?(_ text: String) {
    guard let slash = text.lastIndex(of: "/") else { return nil }
    self.init(String(text[..<slash]), String(text[text.index(after: slash)...]))
  }

  /// `layers.0.weight/m`
  public var description: String { owner + "/" + slot }

  public static func < (a: SlotKey, b: SlotKey) -> Bool { (a.owner, a.slot) < (b.owner, b.slot) }
}

/// All that the optimizers of a run remember: named tensors and named numbers.
///
/// Optimizers are values without memory of their own, so saving this, and loading it again, is exact by construction.
public struct OptimizerState<Scalar: KernelScalar>: Sendable {
  public internal(set) var tensors: [SlotKey: Matrix<Scalar>] = [:]
  public internal(set) var scalars: [SlotKey: Double] = [:]

  public init(tensors: [SlotKey: Matrix<Scalar>] = [:], scalars: [SlotKey: Double] = [:]) {
    self.tensors = tensors
    self.scalars = scalars
  }

  /// The bytes that the tensors occupy.
  public var byteCount: Int {
    tensors.values.reduce(0) { $0 + $1.count * MemoryLayout<Scalar>.stride }
  }

  /// A hash of all bits, the same on every machine: FNV-1a over names and elements in order of the names.
  public var fingerprint: UInt64 {
    var hash = BitHash()
    for (key, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      hash.add(key.description)
      hash.add(tensor)
    }
    for (key, value) in scalars.sorted(by: { $0.key < $1.key }) {
      hash.add(key.description)
      hash.add(value.bitPattern)
    }
    return hash.value
  }
}
