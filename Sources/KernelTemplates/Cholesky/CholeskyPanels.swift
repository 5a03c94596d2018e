// A positive definite matrix that fits the second-level cache, factored where it lies packed.
//
//     A = Uᵀ·U:     u(t, :) = U_tt⁻ᵀ·(a(t, :) − Σ_{p above t} u(p, t)ᵀ·u(p, :))
//
// U lies in panels of NR columns, panel j with the rows 0 … (j + 1)·NR: for the product above, panel j is the packed
// operand of the vectors, and panel J at the columns of t that of the broadcasts, so one copy serves as both. Tiles of
// at most MR rows go from the top to the bottom and from the diagonal to the right; each is a product, a triangular
// solve and a store. The inverse comes in the same sweep: V = U⁻ᵀ obeys the same recurrence with the identity in place
// of A, as if the identity stood to the right of A; panel j of V has the rows j·NR … n. Then A⁻¹ = Vᵀ·V.
//
// Error: |A − UᵀU| ≤ (n + 8)·u·|Uᵀ||U| in every element (Higham, theorem 10.3).
// Lanes to the left of the diagonal hold numbers without meaning, and nobody uses them.

/// The places in packed panels.
@frozen
public struct PackedTriangle<Scalar> {
  /// NR
  public let width: Int
  /// n
  public let order: Int

  @_alwaysEmitIntoClient @inline(__always)
  public init(order: Int, width: Int) {
    self.order = order
    self.width = width
  }

  @_alwaysEmitIntoClient @inline(__always)
  public var panels: Int { (order &+ width &- 1) / width }

  /// Elements of memory for either triangle.
  @_alwaysEmitIntoClient @inline(__always)
  public var count: Int { panels &* (panels &+ 1) / 2 &* width &* width }

  /// The columns of panel j.
  @_alwaysEmitIntoClient @inline(__always)
  public func columns(_ j: Int) -> Int { min(width, order &- j &* width) }

  /// Where row 0 of panel j of U lies.
  @_alwaysEmitIntoClient @inline(__always)
  public func upper(_ j: Int) -> Int { j &* (j &+ 1) / 2 &* width &* width }

  /// Where row 0 of panel j of V would lie, if it had the rows above j·NR.
  @_alwaysEmitIntoClient @inline(__always)
  public func lower(_ j: Int) -> Int {
    // Panels before it have P, P − 1, … squares.
    (j &* panels &- j &* (j &- 1) / 2 &- j) &* width &* width
  }
}

/// The operands of a factorization in panels.
@frozen
public struct CholeskyCall<Scalar> {
  public var place: PackedTriangle<Scalar>
  /// Before, the upper triangle of A; then U.
  public var u: UnsafeMutablePointer<Scalar>
  /// Memory for V, if it is wanted.
  public var v: UnsafeMutablePointer<Scalar>?
  /// U is there already, only V is wanted, and `roots` holds −1/u_ii.
  public var isFactored: Bool
  /// −1/u_ii of all rows: becomes known.
  public var roots: UnsafeMutablePointer<Scalar>
  /// Room for a tile.
  public var scratch: UnsafeMutablePointer<Scalar>
  /// The sweep ends at the tile that has a bad pivot.
  public var rule: UnsafeMutablePointer<PivotRule<Scalar>>

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    place: PackedTriangle<Scalar>, u: UnsafeMutablePointer<Scalar>, v: UnsafeMutablePointer<Scalar>?,
    isFactored: Bool = false, roots: UnsafeMutablePointer<Scalar>, scratch: UnsafeMutablePointer<Scalar>,
    rule: UnsafeMutablePointer<PivotRule<Scalar>>
  ) {
    self.place = place
    self.u = u
    self.v = v
    self.isFactored = isFactored
    self.roots = roots
    self.scratch = scratch
    self.rule = rule
  }
}

extension VectorUnit {
  /// Rows of the tiles that NR rows are cut into.
  @_alwaysEmitIntoClient @inline(__always)
  public static var panelRows: Int { Partition(tileColumns, limit: tileRows).size(0) }
}

/// A tile of h rows in one panel x, whose own rows follow `depth` rows that are done.
@frozen
public struct PackedTile<Scalar> {
  public var depth: Int
  /// Row p of the h columns of U that belong to the tile's rows lies at `a[p * NR]`.
  public var a: UnsafePointer<Scalar>
  public var x: UnsafeMutablePointer<Scalar>
  /// Whether the tile's rows of x hold something: zeros need not be read.
  public var reads: Bool
  /// −1/u_ii of the tile's rows.
  public var roots: UnsafePointer<Scalar>

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    depth: Int, a: UnsafePointer<Scalar>, x: UnsafeMutablePointer<Scalar>, reads: Bool = true,
    roots: UnsafePointer<Scalar>
  ) {
    self.depth = depth
    self.a = a
    self.x = x
    self.reads = reads
    self.roots = roots
  }

  /// Σ_{p<depth} a(:, p)·xₚ − x.
  @_alwaysEmitIntoClient @inline(__always)
  func negatedRemainder<T: TriangularTile>(_ tile: T.Type, _ last: T.Unit.Mask) -> T
  where T.Scalar == Scalar {
    typealias Unit = T.Unit
    var sums = T()
    var (a, b) = (a, UnsafePointer(x))
    for _ in 0..<depth {
      sums.accumulate(a, UnitStep(), T.S(loading: b, last))
      a += Unit.tileColumns
      b += Unit.tileColumns
    }
    if reads { sums.add(b, Unit.tileColumns, Unit.negate(Unit.one), last) }
    return sums
  }
}

/// U_tt⁻ᵀ·(x − Σ a·x) on one tile.
@frozen
public struct PackedSolve<Unit: VectorUnit>: TileRoutine {
  public typealias Scalar = Unit.Scalar
  @_alwaysEmitIntoClient @inline(__always)
  public static var tallest: Int { Unit.panelRows }
  public var tile: PackedTile<Unit.Scalar>

  @_alwaysEmitIntoClient @inline(__always)
  public init(_ tile: PackedTile<Unit.Scalar>) { self.tile = tile }

  @_alwaysEmitIntoClient @inline(never)
  public func run<T: TriangularTile>(_ type: T.Type) where T.Scalar == Scalar {
    let last = T.Unit.mask(first: T.Unit.lanes)
    var sums = tile.negatedRemainder(T.self, last)
    let width = T.Unit.tileColumns
    sums.substitute(
      SmallTriangle(
        tile.a + tile.depth &* width, row: AnyStep(1), column: AnyStep(width), diagonal: tile.roots),
      divides: false)
    sums.store(to: tile.x + tile.depth &* width, width, last)
  }
}

/// The tile at the diagonal.
@frozen
public struct PackedFactor<Unit: VectorUnit>: TileRoutine {
  public typealias Scalar = Unit.Scalar
  @_alwaysEmitIntoClient @inline(__always)
  public static var tallest: Int { Unit.panelRows }
  public var tile: PackedTile<Unit.Scalar>
  public var place: PivotPlace<Unit.Scalar>

  @_alwaysEmitIntoClient @inline(__always)
  public init(_ tile: PackedTile<Unit.Scalar>, _ place: PivotPlace<Unit.Scalar>) {
    self.tile = tile
    self.place = place
  }

  @_alwaysEmitIntoClient @inline(never)
  public func run<T: TriangularTile>(_ type: T.Type) where T.Scalar == Scalar {
    let last = T.Unit.mask(first: T.Unit.lanes)
    var sums = tile.negatedRemainder(T.self, last)
    sums.factor(place, last)
  }
}
