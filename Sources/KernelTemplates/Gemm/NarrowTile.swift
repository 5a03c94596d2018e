// Tiles of very few columns. A vector of C that is cut off after one or two columns costs as much as a whole one: with 16
// lanes, 65 columns are five vectors and not four. Here several rows stand side by side in a vector, in groups of G lanes,
//
//     | c₀₀ c₀₁ … | c₁₀ c₁₁ … | c₂₀ … |     ← + | a₀ₚ a₀ₚ … | a₁ₚ a₁ₚ … | a₂ₚ … | · | bₚ₀ bₚ₁ … | bₚ₀ bₚ₁ … | bₚ₀ … |
//
// with the same chain of FMAs for every element as in other tiles. A vector of A is one shuffle: a register holds G steps
// of k of every row, or, if rows are adjacent, one step. Nothing outside the operands is touched: the last rows and steps
// are met by moving the first ones back, which needs as many rows as a vector holds, and G steps.

/// A unit whose vectors can hold several rows of a tile.
public protocol GroupedUnit: VectorUnit {
  /// G, the lanes of a group.
  static var groupLanes: Int { get }
  /// G elements each of rows `stride` apart, a row in each group.
  static func groups(_ p: UnsafePointer<Scalar>, stride: Int) -> Vector
  /// Names a lane of every group.
  associatedtype Places
  static func places(lane: Int) -> Places
  /// The lane of every group in all its lanes.
  static func spread(_ v: Vector, _ places: Places) -> Vector
  /// Adjacent elements, each in all lanes of a group.
  static func expanded(_ p: UnsafePointer<Scalar>) -> Vector
  /// The masked ones of G elements, in every group.
  static func repeated(_ p: UnsafePointer<Scalar>, _ mask: Mask) -> Vector
  /// The mask of some lanes in the middle.
  static func mask(_ lanes: Range<Int>) -> Mask
}

extension GroupedUnit {
  /// The rows that stand side by side in a vector.
  @_alwaysEmitIntoClient @inline(__always)
  static var groupedRows: Int { lanes / groupLanes }
}

/// C ← α·A·B + β·C with few columns, and one k block.
@frozen
public struct NarrowCall<Scalar> {
  public var rows: Int
  /// The operands of all rows together, with the columns as lanes.
  public var tile: TileCall<Scalar>
  /// 0, and the compiler does not know: where it knows the lanes of a shuffle, it makes every element a load of its own.
  @usableFromInline var zero = 0

  @_alwaysEmitIntoClient @inline(__always)
  init(rows: Int, _ tile: TileCall<Scalar>) {
    self.rows = rows
    self.tile = tile
  }

  @_alwaysEmitIntoClient @inline(__always)
  var columns: Int { tile.lastLanes }
}

/// How vectors of A are made.
public protocol GroupedRows {
  associatedtype Unit: GroupedUnit
  /// Steps of k in a register.
  static var steps: Int { get }
  static func load(_ a: UnsafePointer<Unit.Scalar>, stride: Int) -> Unit.Vector
  /// The elements of step `lane`.
  static func step(_ v: Unit.Vector, _ lane: Int) -> Unit.Vector
}

/// Elements of a row of A are adjacent.
public enum AlongDepth<Unit: GroupedUnit>: GroupedRows {
  @_alwaysEmitIntoClient @inline(__always)
  public static var steps: Int { Unit.groupLanes }

  @_alwaysEmitIntoClient @inline(__always)
  public static func load(_ a: UnsafePointer<Unit.Scalar>, stride: Int) -> Unit.Vector {
    Unit.groups(a, stride: stride)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public static func step(_ v: Unit.Vector, _ lane: Int) -> Unit.Vector {
    Unit.spread(v, Unit.places(lane: lane))
  }
}

/// Elements of a column of A are adjacent.
public enum AlongRows<Unit: GroupedUnit>: GroupedRows {
  @_alwaysEmitIntoClient @inline(__always)
  public static var steps: Int { 1 }

  @_alwaysEmitIntoClient @inline(__always)
  public static func load(_ a: UnsafePointer<Unit.Scalar>, stride: Int) -> Unit.Vector { Unit.expanded(a) }

  @_alwaysEmitIntoClient @inline(__always)
  public static func step(_ v: Unit.Vector, _ lane: Int) -> Unit.Vector { v }
}

/// Vectors of several rows on top of each other, with the sums and the elements of A.
public protocol GroupStack {
  associatedtype A: GroupedRows
  typealias Unit = A.Unit
  /// The number of vectors.
  static var vectors: Int { get }

  init()
  /// The next steps of A. The last vector begins with row `last`.
  mutating func load(_ a: UnsafePointer<Unit.Scalar>, stride: Int, rows: Int, last: Int)
  mutating func multiplyAdd(step: Int, _ b: Unit.Vector)
  /// Calls `body` with each vector's first row and sum.
  func forEach(rows: Int, last: Int, _ body: (Int, Unit.Vector) -> Void)
  /// Runs `call` on the stack of this family that is just tall enough; `vectors` is at most that of `Self`.
  static func select(vectors: Int, _ call: NarrowCall<Unit.Scalar>)
}

/// The last vector.
@frozen
public struct LastGroups<A: GroupedRows>: GroupStack {
  @usableFromInline var sum: A.Unit.Vector
  @usableFromInline var a: A.Unit.Vector

  @_alwaysEmitIntoClient @inline(__always)
  public static var vectors: Int { 1 }

  @_alwaysEmitIntoClient @inline(__always)
  public init() {
    sum = A.Unit.zero
    a = A.Unit.zero
  }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func load(_ a: UnsafePointer<A.Unit.Scalar>, stride: Int, rows: Int, last: Int) {
    self.a = A.load(a + last &* stride, stride: stride)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func multiplyAdd(step: Int, _ b: A.Unit.Vector) {
    sum = A.Unit.multiplyAdd(A.step(a, step), b, sum)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func forEach(rows: Int, last: Int, _ body: (Int, A.Unit.Vector) -> Void) { body(last, sum) }

  @_alwaysEmitIntoClient @inline(__always)
  public static func select(vectors: Int, _ call: NarrowCall<A.Unit.Scalar>) { narrowKernel(Self.self, call) }
}

/// One more vector of rows above.
@frozen
public struct MoreGroups<Lower: GroupStack>: GroupStack {
  public typealias A = Lower.A
  @usableFromInline var upper: LastGroups<A>
  @usableFromInline var lower: Lower

  @_alwaysEmitIntoClient @inline(__always)
  public static var vectors: Int { Lower.vectors &+ 1 }

  @_alwaysEmitIntoClient @inline(__always)
  public init() {
    upper = LastGroups()
    lower = Lower()
  }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func load(_ a: UnsafePointer<A.Unit.Scalar>, stride: Int, rows: Int, last: Int) {
    upper.load(a, stride: stride, rows: rows, last: 0)
    lower.load(a + rows &* stride, stride: stride, rows: rows, last: last &- rows)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func multiplyAdd(step: Int, _ b: A.Unit.Vector) {
    upper.multiplyAdd(step: step, b)
    lower.multiplyAdd(step: step, b)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func forEach(rows: Int, last: Int, _ body: (Int, A.Unit.Vector) -> Void) {
    upper.forEach(rows: rows, last: 0, body)
    lower.forEach(rows: rows, last: last &- rows) { body($0 &+ rows, $1) }
  }

  @_alwaysEmitIntoClient @inline(__always)
  public static func select(vectors: Int, _ call: NarrowCall<A.Unit.Scalar>) {
    if vectors == Self.vectors { narrowKernel(Self.self, call) } else { Lower.select(vectors: vectors, call) }
  }
}

public typealias FourGroups<A: GroupedRows> = MoreGroups<MoreGroups<MoreGroups<LastGroups<A>>>>
public typealias EightGroups<A: GroupedRows> = MoreGroups<MoreGroups<MoreGroups<MoreGroups<FourGroups<A>>>>>

/// Computes one tile. See the head of this file.
@_alwaysEmitIntoClient @inline(never)
public func narrowKernel<T: GroupStack>(_ stack: T.Type, _ call: NarrowCall<T.Unit.Scalar>) {
  typealias Unit = T.Unit
  let (rows, steps) = (Unit.groupedRows, T.A.steps)
  let last = call.rows &- rows
  let mask = Unit.mask(first: call.columns)
  var sums = T()
  var (a, b, left) = (call.tile.a, call.tile.b, call.tile.depth)
  while left >= steps {
    sums.load(a, stride: call.tile.aRow, rows: rows, last: last)
    for step in 0..<steps {
      sums.multiplyAdd(step: call.zero &+ step, Unit.repeated(b, mask))
      b += call.tile.bDepth
    }
    a += steps &* call.tile.aDepth
    left &-= steps
  }
  if left > 0 {
    let done = steps &- left
    sums.load(a - done &* call.tile.aDepth, stride: call.tile.aRow, rows: rows, last: last)
    for step in done..<steps {
      sums.multiplyAdd(step: call.zero &+ step, Unit.repeated(b, mask))
      b += call.tile.bDepth
    }
  }
  store(sums, call, rows: rows, last: last)
}

/// Rows that the last vector has in common with the one before are written once.
@_alwaysEmitIntoClient @inline(__always)
func store<T: GroupStack>(_ sums: T, _ call: NarrowCall<T.Unit.Scalar>, rows: Int, last: Int) {
  typealias Unit = T.Unit
  var done = 0
  let (alpha, beta) = (Unit.broadcast(call.tile.alpha), Unit.broadcast(call.tile.beta))
  sums.forEach(rows: rows, last: last) { first, sum in
    let row = Part<Unit>(sum)
    for group in max(0, done &- first)..<rows {
      let lane = group &* Unit.groupLanes
      let mask = Unit.mask(lane..<lane &+ call.columns)
      let c = call.tile.c + ((first &+ group) &* call.tile.cRow &- lane)
      if call.tile.overwrites { row.overwrite(c, alpha, mask) } else { row.update(c, alpha, beta, mask) }
    }
    done = first &+ rows
  }
}

extension GroupedUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// Eight vectors a tile.
  ///
  /// - Returns: whether it was done: there must be a vector of rows, G steps, at most G columns, and rows or columns of
  ///   A that are contiguous.
  @_alwaysEmitIntoClient
  public static func multiplyGroups(_ call: NarrowCall<Scalar>) -> Bool {
    guard call.columns <= groupLanes, call.rows >= groupedRows, call.tile.depth >= groupLanes,
      call.tile.aRow == 1 || call.tile.aDepth == 1
    else { return false }
    let tiles = Partition(call.rows, limit: 8 &* groupedRows)
    for t in 0..<tiles.parts {
      var part = call
      part.rows = tiles.size(t)
      part.tile.a += tiles.start(t) &* call.tile.aRow
      part.tile.c += tiles.start(t) &* call.tile.cRow
      let vectors = (part.rows &+ groupedRows &- 1) / groupedRows
      if call.tile.aRow == 1 {
        EightGroups<AlongRows<Self>>.select(vectors: vectors, part)
      } else {
        EightGroups<AlongDepth<Self>>.select(vectors: vectors, part)
      }
    }
    return true
  }
}

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// Vectors hold one row.
  @_alwaysEmitIntoClient @inline(__always)
  public static func multiplyNarrow(_ call: NarrowCall<Scalar>) -> Bool { false }

  /// The columns beyond whole vectors, if they are few; `whole` has the operands of all of C.
  ///
  /// - Returns: their number if they have been done, else 0.
  @_alwaysEmitIntoClient @inline(__always)
  static func multiplyRest(
    _ c: MutableMatrixPointer<Scalar>, _ whole: @autoclosure () -> TileCall<Scalar>
  ) -> Int {
    let rest = c.columns % lanes
    if rest == 0 || rest > lanes / 4 || c.columns < 2 &* lanes || c.columnStride != 1 { return 0 }
    var call = NarrowCall(rows: c.rows, whole())
    call.tile.b += c.columns &- rest
    call.tile.c += c.columns &- rest
    call.tile.lastLanes = rest
    return multiplyNarrow(call) ? rest : 0
  }
}
