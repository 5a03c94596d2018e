// What register tiles do with the small triangle on the diagonal of a block. Like the k loop, the triangle is unrolled by
// the types: a taller tile is the tile above it and one more row, which needs all rows above.

/// Where a small lower triangle T lies: element (i, j) at `base[row.times(i) + column.times(j)]`.
@frozen
public struct SmallTriangle<Scalar> {
  public var base: UnsafePointer<Scalar>
  public var row: AnyStep
  public var column: AnyStep
  /// What stands in for the diagonal, one number a row.
  public var diagonal: UnsafePointer<Scalar>

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    _ base: UnsafePointer<Scalar>, row: AnyStep, column: AnyStep, diagonal: UnsafePointer<Scalar>
  ) {
    self.base = base
    self.row = row
    self.column = column
    self.diagonal = diagonal
  }

  /// The coefficient (i, j).
  @_alwaysEmitIntoClient @inline(__always)
  public func at(_ i: Int, _ j: Int) -> Scalar { base[row.times(i) &+ column.times(j)] }
}

/// A tile that can solve with a triangle of its height, multiply by it, and factor a square.
public protocol TriangularTile: Tile {
  /// self ← self + α·X, with X in rows of `stride`.
  mutating func add(_ x: UnsafePointer<Scalar>, _ stride: Int, _ alpha: Unit.Vector, _ last: Unit.Mask)
  /// self ← −T⁻¹·self; the diagonal of `t` holds −1/tᵢᵢ, or −tᵢᵢ if it `divides`.
  mutating func substitute(_ t: SmallTriangle<Scalar>, divides: Bool)
  /// row ← row + Σⱼ t(i, j)·selfⱼ over the rows j of self.
  func add(to row: inout S, _ t: SmallTriangle<Scalar>, _ i: Int)
  /// self ← self + T·X with X in memory; the diagonal of `t` holds tᵢᵢ.
  mutating func addTriangle(
    _ t: SmallTriangle<Scalar>, _ x: UnsafePointer<Scalar>, _ stride: Int, _ last: Unit.Mask)
  /// row ← row + Σⱼ t(i, j)·xⱼ over as many rows j of X as this tile has.
  static func add(
    _ x: UnsafePointer<Scalar>, _ stride: Int, to row: inout S, _ t: SmallTriangle<Scalar>, _ i: Int,
    _ last: Unit.Mask)
  /// Factors the square at the pivots, as in PivotTile.swift, and writes the rows: the first ones of `place`.
  mutating func factor(_ place: PivotPlace<Scalar>, _ last: Unit.Mask)
  /// row ← row + Σⱼ (n_ji/dⱼ)·selfⱼ over the rows j of self, which have been factored.
  func eliminate(from row: inout S, _ place: PivotPlace<Scalar>, _ i: Int)
  /// Runs the routine on the tile of this family that has `rows` rows.
  static func run<R: TileRoutine>(rows: Int, _ routine: R) where R.Scalar == Scalar
}

/// Something to be done with a tile of any height.
public protocol TileRoutine {
  associatedtype Scalar
  /// The most rows of a tile; for taller ones no code is made.
  static var tallest: Int { get }
  func run<T: TriangularTile>(_ tile: T.Type) where T.Scalar == Scalar
}

extension Row: TriangularTile {
  @_alwaysEmitIntoClient @inline(__always)
  public mutating func add(
    _ x: UnsafePointer<Scalar>, _ stride: Int, _ alpha: S.Unit.Vector, _ last: S.Unit.Mask
  ) {
    sum.multiplyAdd(alpha, S(loading: x, last))
  }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func substitute(_ t: SmallTriangle<Scalar>, divides: Bool) {
    let diagonal = S.Unit.broadcast(t.diagonal.pointee)
    // Added to 0: the solution for a right-hand side of 0 is no −0.
    var solution = S()
    if divides {
      sum.divide(by: diagonal)
      solution.multiplyAdd(S.Unit.one, sum)
    } else {
      solution.multiplyAdd(diagonal, sum)
    }
    sum = solution
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func add(to row: inout S, _ t: SmallTriangle<Scalar>, _ i: Int) {
    row.multiplyAdd(S.Unit.broadcast(t.at(i, 0)), sum)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func addTriangle(
    _ t: SmallTriangle<Scalar>, _ x: UnsafePointer<Scalar>, _ stride: Int, _ last: S.Unit.Mask
  ) {
    sum.multiplyAdd(S.Unit.broadcast(t.diagonal.pointee), S(loading: x, last))
  }

  @_alwaysEmitIntoClient @inline(__always)
  public static func add(
    _ x: UnsafePointer<Scalar>, _ stride: Int, to row: inout S, _ t: SmallTriangle<Scalar>, _ i: Int,
    _ last: S.Unit.Mask
  ) {
    row.multiplyAdd(S.Unit.broadcast(t.at(i, 0)), S(loading: x, last))
  }

  @_alwaysEmitIntoClient @inline(__always)
  public static func run<R: TileRoutine>(rows: Int, _ routine: R) where R.Scalar == Scalar {
    routine.run(Self.self)
  }
}

extension Taller: TriangularTile where Upper: TriangularTile {
  @_alwaysEmitIntoClient @inline(__always)
  public mutating func add(
    _ x: UnsafePointer<Scalar>, _ stride: Int, _ alpha: S.Unit.Vector, _ last: S.Unit.Mask
  ) {
    upper.add(x, stride, alpha, last)
    bottom.add(x + Upper.rows &* stride, stride, alpha, last)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func substitute(_ t: SmallTriangle<Scalar>, divides: Bool) {
    upper.substitute(t, divides: divides)
    upper.add(to: &bottom.sum, t, Upper.rows)
    var corner = t
    corner.diagonal += Upper.rows
    bottom.substitute(corner, divides: divides)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func add(to row: inout S, _ t: SmallTriangle<Scalar>, _ i: Int) {
    upper.add(to: &row, t, i)
    row.multiplyAdd(S.Unit.broadcast(t.at(i, Upper.rows)), bottom.sum)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public mutating func addTriangle(
    _ t: SmallTriangle<Scalar>, _ x: UnsafePointer<Scalar>, _ stride: Int, _ last: S.Unit.Mask
  ) {
    upper.addTriangle(t, x, stride, last)
    Upper.add(x, stride, to: &bottom.sum, t, Upper.rows, last)
    var corner = t
    corner.diagonal += Upper.rows
    bottom.addTriangle(corner, x + Upper.rows &* stride, stride, last)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public static func add(
    _ x: UnsafePointer<Scalar>, _ stride: Int, to row: inout S, _ t: SmallTriangle<Scalar>, _ i: Int,
    _ last: S.Unit.Mask
  ) {
    Upper.add(x, stride, to: &row, t, i, last)
    row.multiplyAdd(S.Unit.broadcast(t.at(i, Upper.rows)), S(loading: x + Upper.rows &* stride, last))
  }

  @_alwaysEmitIntoClient @inline(__always)
  public static func run<R: TileRoutine>(rows: Int, _ routine: R) where R.Scalar == Scalar {
    if Self.rows <= R.tallest && rows == Self.rows {
      routine.run(Self.self)
    } else {
      Upper.run(rows: rows, routine)
    }
  }
}
