import Builtin

// The intrinsics module declares `_m_prefetch`, but the compiler takes that function for one without effect and drops
// its calls. LLVM's own intrinsic stays.

/// How close to the core a line is wanted.
public enum CacheLevel {
  case first, second
}

/// Prefetches the cache line of `p`. Changes nothing that a program can see, whatever `p` is.
@_alwaysEmitIntoClient @inline(__always)
public func prefetch<Scalar>(_ p: UnsafePointer<Scalar>, into level: CacheLevel = .first) {
  let address = UnsafeRawPointer(p)._rawValue
  switch level {
  case .first:
    Builtin.int_prefetch_RawPointer(address, (0 as Int32)._value, (3 as Int32)._value, (1 as Int32)._value)
  case .second:
    Builtin.int_prefetch_RawPointer(address, (0 as Int32)._value, (2 as Int32)._value, (1 as Int32)._value)
  }
}

/// Prefetches what comes four lines behind the given place in each of some rows that are read side by side.
@_alwaysEmitIntoClient @inline(__always)
func prefetchRows<Scalar>(_ rows: UnsafePointer<Scalar>, _ stride: Int, count: Int) {
  let ahead = 4 &* 64 / MemoryLayout<Scalar>.stride
  for r in 0..<count { prefetch(rows + (r &* stride &+ ahead)) }
}

/// Rows of memory to be prefetched little by little, line by line.
@frozen
public struct Ahead<Scalar> {
  /// The row that is being prefetched.
  @usableFromInline var row: UnsafePointer<Scalar>?
  /// Elements of it that have been prefetched, of how many there are, in whole lines.
  @usableFromInline var column = 0
  @usableFromInline var columns = 0
  /// Elements from a row to the next one.
  @usableFromInline var rowStride = 0
  /// Lines to ask for with each call of ``advance()``.
  @usableFromInline var lines = 0

  /// Nothing.
  @_alwaysEmitIntoClient @inline(__always)
  public init() {}

  /// `rows` rows of `columns` elements, in `shares` calls of ``advance()``.
  @_alwaysEmitIntoClient @inline(__always)
  public init(_ start: UnsafePointer<Scalar>, rows: Int, columns: Int, rowStride: Int, shares: Int) {
    row = start
    self.rowStride = rowStride
    // Where a row begins in its line, at worst if not every row begins there.
    let size = MemoryLayout<Scalar>.stride
    let offset = rowStride &* size % 64 == 0 ? Int(bitPattern: start) & 63 : 64 &- size
    let perRow = (offset &+ columns &* size &+ 63) / 64
    self.columns = perRow &* Self.line
    lines = (rows &* perRow &+ shares &- 1) / shares
  }

  @_alwaysEmitIntoClient @inline(__always)
  static var line: Int { 64 / MemoryLayout<Scalar>.stride }

  /// Prefetches the next lines into the second-level cache.
  @_alwaysEmitIntoClient @inline(__always)
  public mutating func advance() {
    guard var row else { return }
    var column = column
    for _ in 0..<lines {
      prefetch(row + column, into: .second)
      column &+= Self.line
      if column >= columns {
        column = 0
        row += rowStride
      }
    }
    self.row = row
    self.column = column
  }
}

/// A stretch of memory to be prefetched little by little.
@frozen
public struct Stretch<Scalar> {
  @usableFromInline var next: UnsafePointer<Scalar>
  /// Lines to ask for with each call of ``advance()``.
  @usableFromInline var lines: Int

  /// `count` elements from `start` on, in `shares` calls of ``advance()``.
  @_alwaysEmitIntoClient @inline(__always)
  public init(_ start: UnsafePointer<Scalar>, count: Int, shares: Int) {
    next = start
    lines = (count &* MemoryLayout<Scalar>.stride &+ 64 &* shares &- 1) / (64 &* shares)
  }

  /// Prefetches the next lines into the second-level cache.
  @_alwaysEmitIntoClient @inline(__always)
  public mutating func advance() {
    for _ in 0..<lines {
      prefetch(next, into: .second)
      next += 64 / MemoryLayout<Scalar>.stride
    }
  }
}

/// Two stretches of memory that are wanted next, prefetched little by little while something else is computed: all lines
/// at once would occupy every outstanding miss, and the core would wait for them.
@frozen
public struct Lookahead<Scalar> {
  public var first: UnsafePointer<Scalar>
  public var firstCount: Int
  public var second: UnsafePointer<Scalar>
  public var secondCount: Int
  @usableFromInline var shares = 0
  @usableFromInline var ofFirst: Stretch<Scalar>
  @usableFromInline var ofSecond: Stretch<Scalar>

  /// Stretches of so many elements, which may be none.
  @_alwaysEmitIntoClient @inline(__always)
  public init(
    _ first: UnsafePointer<Scalar>, count firstCount: Int, _ second: UnsafePointer<Scalar>,
    count secondCount: Int
  ) {
    self.first = first
    self.firstCount = firstCount
    self.second = second
    self.secondCount = secondCount
    ofFirst = Stretch(first, count: 0, shares: 1)
    ofSecond = Stretch(second, count: 0, shares: 1)
  }

  /// Cuts the stretches for so many calls of ``advance()``; more calls do nothing.
  @_alwaysEmitIntoClient @inline(__always)
  public mutating func begin(shares: Int) {
    self.shares = firstCount &+ secondCount == 0 ? 0 : shares
    ofFirst = Stretch(first, count: firstCount, shares: shares)
    ofSecond = Stretch(second, count: secondCount, shares: shares)
  }

  /// Prefetches the next share of both.
  @_alwaysEmitIntoClient @inline(__always)
  public mutating func advance() {
    if shares == 0 { return }
    shares &-= 1
    ofFirst.advance()
    ofSecond.advance()
  }
}

/// Prefetches every line of a row of `vectors` vectors.
@_alwaysEmitIntoClient @inline(__always)
func prefetchRow<Unit: VectorUnit>(_ unit: Unit.Type, _ row: UnsafePointer<Unit.Scalar>, vectors: Int) {
  for v in 0..<vectors { prefetch(row + v &* Unit.lanes) }
  prefetch(row + (vectors &* Unit.lanes &- 1))
}
