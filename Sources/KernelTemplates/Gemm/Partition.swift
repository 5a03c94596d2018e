/// `count` things cut into as few parts of at most `limit` as possible, whose sizes differ by at most one step.
///
/// With `limit` = MR: 15 rows with MR = 14 become 8 + 7, not 14 + 1, because short tiles wait for latencies.
@frozen
public struct Partition {
  public let count: Int
  public let parts: Int
  @usableFromInline let base: Int
  @usableFromInline let longer: Int

  /// Requires `count` ≥ 0 and `limit` ≥ 1.
  @_alwaysEmitIntoClient @inline(__always)
  public init(_ count: Int, limit: Int) {
    self.init(count, parts: count <= limit ? 1 : (count &+ limit &- 1) / limit)
  }

  /// Exactly `parts` ≥ 1 parts.
  @_alwaysEmitIntoClient @inline(__always)
  public init(_ count: Int, parts: Int) {
    self.count = count
    self.parts = parts
    base = parts == 1 ? count : count / parts
    longer = count &- base &* parts
  }

  /// Where part `i` starts.
  @_alwaysEmitIntoClient @inline(__always)
  public func start(_ i: Int) -> Int { i &* base &+ min(i, longer) }

  /// The size of part `i`.
  @_alwaysEmitIntoClient @inline(__always)
  public func size(_ i: Int) -> Int { i < longer ? base &+ 1 : base }

  /// How many parts from part `i` on have its size.
  @_alwaysEmitIntoClient @inline(__always)
  public func alike(from i: Int) -> Int { (i < longer ? longer : parts) &- i }
}

/// The k blocks of a product: part of the numerical contract, because each block is one chain of FMAs and blocks are
/// added in order. They depend on k alone.
///
/// Blocks have at most ``limit`` steps, all have the same length except the last, which may be shorter.
@frozen
public struct DepthBlocks {
  public let depth: Int
  /// The length of every block but the last.
  public let length: Int
  public let count: Int

  /// KC, 512 steps of Float and 256 of Double: 2 KiB, so that a panel of B takes as much of the first-level cache in both. Found
  /// by measurement: see docs/kernels.md. A multiple of 8.
  @_alwaysEmitIntoClient @inline(__always)
  public static func limit<Scalar>(_: Scalar.Type) -> Int { 2048 / MemoryLayout<Scalar>.size }

  /// Requires `depth` ≥ 1.
  @_alwaysEmitIntoClient @inline(__always)
  public init<Scalar>(_ depth: Int, of type: Scalar.Type) {
    let limit = Self.limit(type)
    self.depth = depth
    if depth <= limit {
      length = depth
      count = 1
    } else {
      let blocks = (depth &+ limit &- 1) / limit
      // A multiple of 8 keeps packed panels aligned; it never exceeds the limit, itself a multiple of 8.
      length = ((depth &+ blocks &- 1) / blocks &+ 7) & ~7
      count = (depth &+ length &- 1) / length
    }
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func start(_ i: Int) -> Int { i &* length }

  @_alwaysEmitIntoClient @inline(__always)
  public func size(_ i: Int) -> Int { min(length, depth &- i &* length) }
}
