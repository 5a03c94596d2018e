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

  /// `OWNER/SLOT` for files: with `%25` and `%2F` for `%` and `/` in the names, so that no two keys have one path.
  public var path: String {
    func coded(_ name: String) -> String { name.replacing("%", with: "%25").replacing("/", with: "%2F") }
    return coded(owner) + "/" + coded(slot)
  }

  /// The inverse of ``path``; nil if the text is none.
  public init?(path: String) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).map {
      String($0).replacing("%2F", with: "/").replacing("%25", with: "%")
    }
    guard parts.count == 2 else { return nil }
    self.init(parts[0], parts[1])
    guard self.path == path else { return nil }
  }

  /// `layers.0.weight/m`
  public var description: String { owner + "/" + slot }

  public static func < (a: SlotKey, b: SlotKey) -> Bool { (a.owner, a.slot) < (b.owner, b.slot) }
}

/// All that a run remembers beside its weights: the tensors and numbers of its optimizers, and what the driver keeps.
///
/// Optimizers are values without memory of their own, so saving this, and loading it again, is exact by construction.
public struct OptimizerState<Scalar: KernelScalar>: Sendable {
  /// The optimizers' tensors.
  public var tensors: [SlotKey: Matrix<Scalar>]
  /// The optimizers' numbers.
  public var scalars: [SlotKey: Double]
  /// The running averages of the weights, by the names of their parameters; empty without them. No optimizer's slot can
  /// be taken for one.
  public var averages: [String: Matrix<Scalar>]
  /// The number of steps taken, ≥ 0.
  public var stepCount: Int

  public init(
    tensors: [SlotKey: Matrix<Scalar>] = [:], scalars: [SlotKey: Double] = [:],
    averages: [String: Matrix<Scalar>] = [:], stepCount: Int = 0
  ) {
    self.tensors = tensors
    self.scalars = scalars
    self.averages = averages
    self.stepCount = stepCount
  }

  /// The bytes that all tensors occupy.
  public var byteCount: Int {
    let count = tensors.values.reduce(0) { $0 + $1.count } + averages.values.reduce(0) { $0 + $1.count }
    return count * MemoryLayout<Scalar>.stride
  }

  /// A hash of all bits, the same on every machine: ``BitHash`` over names and elements in order of the names.
  public var fingerprint: UInt64 {
    var hash = BitHash()
    hash.add(UInt64(stepCount))
    hash.add(UInt64(tensors.count))
    for (key, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      hash.add(key.owner)
      hash.add(key.slot)
      hash.add(tensor)
    }
    hash.add(UInt64(scalars.count))
    for (key, value) in scalars.sorted(by: { $0.key < $1.key }) {
      hash.add(key.owner)
      hash.add(key.slot)
      hash.add(value.bitPattern)
    }
    for (name, average) in averages.sorted(by: { $0.key < $1.key }) {
      hash.add(name)
      hash.add(average)
    }
    return hash.value
  }
}
