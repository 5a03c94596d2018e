// The loops over the rows that a block of pivots is eliminated from.

/// A block of pivots k ..< k + b that is eliminated from the lower triangle of a group.
@frozen
public struct PivotBlock<Unit: VectorUnit> {
  public var group: UnsafeMutablePointer<Unit.Scalar>
  public var rowStride: Int
  public var k: Int
  /// The G of all rows.
  public var columns: UnsafeMutablePointer<Unit.Scalar>

  /// At least so many calls of ``Lookahead/advance()`` come from all blocks of a matrix of order n.
  @_alwaysEmitIntoClient @inline(__always)
  static func steps(_ n: Int) -> Int { max(1, n / 4 &* (n / (Unit.registers < 32 ? 2 : 4))) }

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    _ group: UnsafeMutablePointer<Unit.Scalar>, _ rowStride: Int, _ k: Int,
    _ columns: UnsafeMutablePointer<Unit.Scalar>
  ) {
    self.group = group
    self.rowStride = rowStride
    self.k = k
    self.columns = columns
  }

  /// Eliminates the block from all rows above it; k is even.
  @_alwaysEmitIntoClient @inline(__always)
  func above<F: SmallFactor>(_ factor: F, _ ahead: inout Lookahead<Unit.Scalar>) where F.Unit == Unit {
    var i = 0
    while i < k && (Unit.registers < 32 || (k &- i) & 2 == 2) {
      above(TwoEliminatedRows<F>.self, factor, &i, &ahead)
    }
    while i < k { above(FourEliminatedRows<F>.self, factor, &i, &ahead) }
  }

  /// Eliminates the block from all rows below it, up to row n; with `isLower`, nothing left of the pivots is changed.
  @_alwaysEmitIntoClient @inline(__always)
  func below<F: SmallFactor>(_ factor: F, _ n: Int, isLower: Bool, _ ahead: inout Lookahead<Unit.Scalar>)
  where F.Unit == Unit {
    var i = k &+ F.Row.count
    if (n &- i) & 1 == 1 { below(OneEliminatedRow<F>.self, factor, &i, isLower: isLower, &ahead) }
    while i < n && (Unit.registers < 32 || (n &- i) & 2 == 2) {
      below(TwoEliminatedRows<F>.self, factor, &i, isLower: isLower, &ahead)
    }
    while i < n { below(FourEliminatedRows<F>.self, factor, &i, isLower: isLower, &ahead) }
  }

  /// Rows from i on, whose columns of the pivots are rows of the pivots.
  @_alwaysEmitIntoClient @inline(__always)
  func above<E: EliminatedRows>(
    _ type: E.Type, _ factor: E.Factor, _ i: inout Int, _ ahead: inout Lookahead<Unit.Scalar>
  ) where E.Factor.Unit == Unit {
    ahead.advance()
    let (row, g) = (group + i &* rowStride, columns + i &* E.Factor.Row.count &* Unit.lanes)
    let rows = E(
      factor,
      PivotColumns(
        group + (k &* rowStride &+ i &* Unit.lanes), rowStride: Unit.lanes, pivotStride: rowStride,
        columns: g), isLower: false)
    update(rows, row, from: 0, to: i)
    rows.updateTriangle(row + i &* Unit.lanes, rowStride, UnsafePointer(g))
    i &+= E.count
  }

  /// Rows from i on.
  @_alwaysEmitIntoClient @inline(__always)
  func below<E: EliminatedRows>(
    _ type: E.Type, _ factor: E.Factor, _ i: inout Int, isLower: Bool,
    _ ahead: inout Lookahead<Unit.Scalar>
  ) where E.Factor.Unit == Unit {
    ahead.advance()
    let (row, g) = (group + i &* rowStride, columns + i &* E.Factor.Row.count &* Unit.lanes)
    let rows = E(
      factor,
      PivotColumns(row + k &* Unit.lanes, rowStride: rowStride, pivotStride: Unit.lanes, columns: g),
      isLower: isLower)
    if !isLower { update(rows, row, from: 0, to: k) }
    update(rows, row, from: k &+ E.Factor.Row.count, to: i)
    rows.updateTriangle(row + i &* Unit.lanes, rowStride, UnsafePointer(g))
    i &+= E.count
  }

  /// A_ij ← A_ij + multipliers·G_j for a range of j.
  @_alwaysEmitIntoClient @inline(__always)
  func update<E: EliminatedRows>(_ rows: E, _ row: UnsafeMutablePointer<Unit.Scalar>, from: Int, to: Int)
  where E.Factor.Unit == Unit {
    var j = from
    while j < to {
      let g = UnsafePointer(columns + j &* E.Factor.Row.count &* Unit.lanes)
      rows.update(row + j &* Unit.lanes, rowStride, E.Factor.Row(loading: g, Unit.lanes))
      j &+= 1
    }
  }
}
