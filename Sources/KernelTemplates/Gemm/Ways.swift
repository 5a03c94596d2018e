// Independent k blocks side by side. A tile with few accumulators waits for the latency of each FMA; if k is longer
// than one block, the sums of several blocks can be formed in lockstep, because the contract adds whole blocks.
// Each block's sum and the order in which the sums are added stay the same, and so do the bits.

/// One or more tiles of the same place of C, for consecutive k blocks.
public protocol Ways {
  associatedtype T: Tile
  /// The number of k blocks.
  static var ways: Int { get }

  /// Zeros, or C where the tiles of `call` continue.
  init(_ call: UnsafePointer<TileCall<T.Scalar>>)
  /// One step of k in every block; blocks lie `aBlock` and `bBlock` elements apart.
  mutating func accumulate<R: RowStep>(
    _ a: UnsafePointer<T.Scalar>, _ step: R, _ aBlock: Int, _ b: UnsafePointer<T.Scalar>, _ bBlock: Int,
    _ last: T.Unit.Mask)
  /// C ← first block, then C ← C + block for the others in order.
  func store(to c: UnsafeMutablePointer<T.Scalar>, _ rowStride: Int, _ last: T.Unit.Mask)
  /// C ← α·first block, then C ← C + α·block for the others in order.
  func overwrite(
    _ c: UnsafeMutablePointer<T.Scalar>, _ rowStride: Int, _ alpha: T.Unit.Vector, _ last: T.Unit.Mask)
  /// C ← β·C + α·first block, then C ← C + α·block for the others in order.
  func update(
    _ c: UnsafeMutablePointer<T.Scalar>, _ rowStride: Int, _ alpha: T.Unit.Vector, _ beta: T.Unit.Vector,
    _ last: T.Unit.Mask)
}

extension Tile {
  /// Zeros, or C where the tiles of `call` continue.
  @_alwaysEmitIntoClient @inline(__always)
  init(of call: UnsafePointer<TileCall<Scalar>>) {
    if call.pointee.continues {
      self.init(loading: call.pointee.c, call.pointee.cRow, Unit.mask(first: call.pointee.lastLanes))
    } else {
      self.init()
    }
  }
}

/// A single k block.
public protocol SingleWay: Ways {
  var tile: T { get set }
}

extension SingleWay {
  @_alwaysEmitIntoClient @inline(__always)
  public static var ways: Int { 1 }

  @_alwaysEmitIntoClient @inline(__always)
  public func store(to c: UnsafeMutablePointer<T.Scalar>, _ rowStride: Int, _ last: T.Unit.Mask) {
    tile.store(to: c, rowStride, last)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func overwrite(
    _ c: UnsafeMutablePointer<T.Scalar>, _ rowStride: Int, _ alpha: T.Unit.Vector, _ last: T.Unit.Mask
  ) {
    tile.overwrite(c, rowStride, alpha, last)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func update(
    _ c: UnsafeMutablePointer<T.Scalar>, _ rowStride: Int, _ alpha: T.Unit.Vector, _ beta: T.Unit.Vector,
    _ last: T.Unit.Mask
  ) {
    tile.update(c, rowStride, alpha, beta, last)
  }
}

/// A tile and nothing else.
@frozen
public struct OneWay<T: Tile>: SingleWay {
  public var tile: T

  @_alwaysEmitIntoClient @inline(__always)
  public init(_ call: UnsafePointer<TileCall<T.Scalar>>) { tile = T(of: call) }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func accumulate<R: RowStep>(
    _ a: UnsafePointer<T.Scalar>, _ step: R, _ aBlock: Int, _ b: UnsafePointer<T.Scalar>, _ bBlock: Int,
    _ last: T.Unit.Mask
  ) {
    tile.accumulate(a, step, T.S(loading: b, last))
  }
}

/// Twice as many k blocks.
@frozen
public struct Twice<W: Ways>: Ways {
  public typealias T = W.T
  public var earlier: W
  public var later: W

  @_alwaysEmitIntoClient @inline(__always)
  public static var ways: Int { 2 &* W.ways }

  @_alwaysEmitIntoClient @inline(__always)
  public init(_ call: UnsafePointer<TileCall<T.Scalar>>) {
    earlier = W(call)
    later = W(call)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func accumulate<R: RowStep>(
    _ a: UnsafePointer<T.Scalar>, _ step: R, _ aBlock: Int, _ b: UnsafePointer<T.Scalar>, _ bBlock: Int,
    _ last: T.Unit.Mask
  ) {
    earlier.accumulate(a, step, aBlock, b, bBlock, last)
    later.accumulate(a + W.ways &* aBlock, step, aBlock, b + W.ways &* bBlock, bBlock, last)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func store(to c: UnsafeMutablePointer<T.Scalar>, _ rowStride: Int, _ last: T.Unit.Mask) {
    earlier.store(to: c, rowStride, last)
    later.update(c, rowStride, T.Unit.one, T.Unit.one, last)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func overwrite(
    _ c: UnsafeMutablePointer<T.Scalar>, _ rowStride: Int, _ alpha: T.Unit.Vector, _ last: T.Unit.Mask
  ) {
    earlier.overwrite(c, rowStride, alpha, last)
    later.update(c, rowStride, alpha, T.Unit.one, last)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func update(
    _ c: UnsafeMutablePointer<T.Scalar>, _ rowStride: Int, _ alpha: T.Unit.Vector, _ beta: T.Unit.Vector,
    _ last: T.Unit.Mask
  ) {
    earlier.update(c, rowStride, alpha, beta, last)
    later.update(c, rowStride, alpha, T.Unit.one, last)
  }
}

public typealias FourWays<T: Tile> = Twice<Twice<OneWay<T>>>
public typealias EightWays<T: Tile> = Twice<FourWays<T>>
