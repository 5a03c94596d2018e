// Rows that a block of pivots is eliminated from, one matrix in each lane. A column of the block is loaded once for all
// rows that are stacked; they are stacked by types, so that their multipliers stay in registers.

/// The multipliers G·D⁻¹ of rows on top of each other, with G = A_iK·L⁻ᵀ.
public protocol EliminatedRows {
  associatedtype Factor: SmallFactor
  /// The number of rows.
  static var count: Int { get }

  /// Reads the rows' columns A_iK of the pivots, keeps G, and writes G·D⁻¹·L⁻¹ in their place, or G·D⁻¹ if `isLower`.
  init(_ factor: Factor, _ place: PivotColumns<Factor.Unit.Scalar>, isLower: Bool)
  /// A_ij ← A_ij + self·G_j for one column j, which starts at `x`.
  func update(_ x: UnsafeMutablePointer<Factor.Unit.Scalar>, _ rowStride: Int, _ column: Factor.Row)
  /// The same for the columns of the rows themselves, not above the diagonal, which starts at `corner`.
  func updateTriangle(
    _ corner: UnsafeMutablePointer<Factor.Unit.Scalar>, _ rowStride: Int,
    _ columns: UnsafePointer<Factor.Unit.Scalar>)
}

/// Where rows have the columns of the pivots, and where their G goes.
@frozen
public struct PivotColumns<Scalar> {
  /// The column of pivot t of row i starts at `base[i * rowStride + t * pivotStride]`.
  public var base: UnsafeMutablePointer<Scalar>
  public var rowStride: Int
  public var pivotStride: Int
  /// The G of rows, one after the other.
  public var columns: UnsafeMutablePointer<Scalar>

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    _ base: UnsafeMutablePointer<Scalar>, rowStride: Int, pivotStride: Int,
    columns: UnsafeMutablePointer<Scalar>
  ) {
    self.base = base
    self.rowStride = rowStride
    self.pivotStride = pivotStride
    self.columns = columns
  }

  /// Without the first `rows`, whose G take `width` elements each.
  @_alwaysEmitIntoClient @inline(__always)
  func dropping(_ rows: Int, _ width: Int) -> Self {
    Self(
      base + rows &* rowStride, rowStride: rowStride, pivotStride: pivotStride,
      columns: columns + rows &* width)
  }
}

/// One row.
@frozen
public struct OneEliminatedRow<Factor: SmallFactor>: EliminatedRows {
  public typealias Unit = Factor.Unit
  public var multipliers: Factor.Row

  @_alwaysEmitIntoClient @inline(__always)
  public static var count: Int { 1 }

  @_alwaysEmitIntoClient @inline(__always)
  public init(_ factor: Factor, _ place: PivotColumns<Unit.Scalar>, isLower: Bool) {
    let g = factor.forward(Factor.Row(loading: UnsafePointer(place.base), place.pivotStride))
    g.store(to: place.columns, Unit.lanes)
    multipliers = factor.scaled(g)
    (isLower ? multipliers : factor.backward(multipliers)).store(to: place.base, place.pivotStride)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func update(_ x: UnsafeMutablePointer<Unit.Scalar>, _ rowStride: Int, _ column: Factor.Row) {
    Unit.store(multipliers.adding(column, to: Unit.load(UnsafePointer(x))), to: x)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func updateTriangle(
    _ corner: UnsafeMutablePointer<Unit.Scalar>, _ rowStride: Int, _ columns: UnsafePointer<Unit.Scalar>
  ) {
    update(corner, rowStride, Factor.Row(loading: columns, Unit.lanes))
  }
}

/// Twice as many rows.
@frozen
public struct TwiceTheRows<Half: EliminatedRows>: EliminatedRows {
  public typealias Factor = Half.Factor
  public typealias Unit = Half.Factor.Unit
  public var top: Half
  public var bottom: Half

  @_alwaysEmitIntoClient @inline(__always)
  public static var count: Int { 2 &* Half.count }

  @_alwaysEmitIntoClient @inline(__always)
  public init(_ factor: Factor, _ place: PivotColumns<Unit.Scalar>, isLower: Bool) {
    top = Half(factor, place, isLower: isLower)
    bottom = Half(factor, place.dropping(Half.count, Factor.Row.count &* Unit.lanes), isLower: isLower)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func update(_ x: UnsafeMutablePointer<Unit.Scalar>, _ rowStride: Int, _ column: Factor.Row) {
    top.update(x, rowStride, column)
    bottom.update(x + Half.count &* rowStride, rowStride, column)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func updateTriangle(
    _ corner: UnsafeMutablePointer<Unit.Scalar>, _ rowStride: Int, _ columns: UnsafePointer<Unit.Scalar>
  ) {
    top.updateTriangle(corner, rowStride, columns)
    let (below, width) = (corner + Half.count &* rowStride, Factor.Row.count &* Unit.lanes)
    for j in 0..<Half.count {
      bottom.update(
        below + j &* Unit.lanes, rowStride, Factor.Row(loading: columns + j &* width, Unit.lanes))
    }
    bottom.updateTriangle(below + Half.count &* Unit.lanes, rowStride, columns + Half.count &* width)
  }
}

public typealias TwoEliminatedRows<F: SmallFactor> = TwiceTheRows<OneEliminatedRow<F>>
public typealias FourEliminatedRows<F: SmallFactor> = TwiceTheRows<TwoEliminatedRows<F>>
