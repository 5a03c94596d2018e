import Builtin

// The intrinsics module declares `_m_prefetch`, but the compiler takes that function for one without effect and drops
// its calls. LLVM's own intrinsic stays.

/// How close to the core a line is wanted.
public enum CacheLevel {
  case first, second
}

/// Asks for the cache line of `p`. Changes nothing that a program can see, whatever `p` is.
@inlinable @inline(__always)
public func prefetch<Scalar>(_ p: UnsafePointer<Scalar>, into level: CacheLevel = .first) {
  let address = UnsafeRawPointer(p)._rawValue
  switch level {
  case .first:
    Builtin.int_prefetch_RawPointer(address, (0 as Int32)._value, (3 as Int32)._value, (1 as Int32)._value)
  case .second:
    Builtin.int_prefetch_RawPointer(address, (0 as Int32)._value, (2 as Int32)._value, (1 as Int32)._value)
  }
}

/// A stretch of memory to be asked for little by little.
@frozen
public struct Ahead<Scalar> {
  public var next: UnsafePointer<Scalar>?
  /// Rows to ask for with each call of ``advance()``.
  public var rows: Int
  /// Elements from a row to the next one.
  public var rowStride: Int
  /// Cache lines of a row.
  public var lines: Int

  @inlinable @inline(__always)
  public init() {
    next = nil
    rows = 0
    rowStride = 0
    lines = 0
  }

  /// `rows` rows of `columns` elements, in `shares` calls of ``advance()``.
  @inlinable @inline(__always)
  public init(_ start: UnsafePointer<Scalar>, rows: Int, columns: Int, rowStride: Int, shares: Int) {
    next = start
    self.rows = (rows &+ shares &- 1) / shares
    self.rowStride = rowStride
    // Where a row begins in its line, at worst if not every row begins there.
    let size = MemoryLayout<Scalar>.stride
    let offset = rowStride &* size % 64 == 0 ? Int(bitPattern: start) & 63 : 64 &- size
    lines = (offset &+ columns &* size &+ 63) / 64
  }

  /// `count` elements from `start` on, in `shares` calls of ``advance()``.
  @inlinable @inline(__always)
  public init(_ start: UnsafePointer<Scalar>, count: Int, shares: Int) {
    next = start
    let bytes = count &* MemoryLayout<Scalar>.stride
    rows = (bytes &+ 64 &* shares &- 1) / (64 &* shares)
    rowStride = 64 / MemoryLayout<Scalar>.stride
    lines = 1
  }

  /// Asks for the next lines, into the second-level cache.
  @inlinable @inline(__always)
  public mutating func advance() {
    guard var row = next else { return }
    if lines == 1 {
      // A loop of its own: there may be dozens of lines in a share.
      for _ in 0..<rows {
        prefetch(row, into: .second)
        row += rowStride
      }
      next = row
      return
    }
    for _ in 0..<rows {
      for line in 0..<lines { prefetch(row + line &* (64 / MemoryLayout<Scalar>.stride), into: .second) }
      row += rowStride
    }
    next = row
  }
}

/// Two stretches of memory that are wanted next, asked for little by little while something else is computed: all lines
/// at once would occupy every outstanding miss, and the core would wait for them.
@frozen
public struct Lookahead<Scalar> {
  public var first: UnsafePointer<Scalar>
  public var firstCount: Int
  public var second: UnsafePointer<Scalar>
  public var secondCount: Int
  @usableFromInline var shares = 0
  @usableFromInline var ofFirst = Ahead<Scalar>()
  @usableFromInline var ofSecond = Ahead<Scalar>()

  /// Stretches of so many elements, which may be none.
  @inlinable @inline(__always)
  public init(
    _ first: UnsafePointer<Scalar>, count firstCount: Int, _ second: UnsafePointer<Scalar>,
    count secondCount: Int
  ) {
    self.first = first
    self.firstCount = firstCount
    self.second = second
    self.secondCount = secondCount
  }

  /// Cuts the stretches for so many calls of ``advance()``; more calls do nothing.
  @inlinable @inline(__always)
  public mutating func begin(shares: Int) {
    self.shares = firstCount &+ secondCount == 0 ? 0 : shares
    ofFirst = Ahead(first, count: firstCount, shares: shares)
    ofSecond = Ahead(second, count: secondCount, shares: shares)
  }

  /// Asks for the next share of both.
  @inlinable @inline(__always)
  public mutating func advance() {
    if shares == 0 { return }
    shares &-= 1
    ofFirst.advance()
    ofSecond.advance()
  }
}

/// Asks for every line of a row of `vectors` vectors.
@inlinable @inline(__always)
func prefetchRow<Unit: VectorUnit>(_ unit: Unit.Type, _ row: UnsafePointer<Unit.Scalar>, vectors: Int) {
  for v in 0..<vectors { prefetch(row + v &* Unit.lanes) }
  prefetch(row + (vectors &* Unit.lanes &- 1))
}
