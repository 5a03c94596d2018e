// Panels X of right-hand sides, each one or two vectors wide, against a lower triangle L of n rows.
//
//     solve:     X ← L⁻¹·α·X        from the top:    xᵢ = (α·xᵢ − Σ_{p<i} lᵢₚ·xₚ) / lᵢᵢ
//     multiply:  X ← α·L·X          from the bottom: xᵢ = α·Σ_{p≤i} lᵢₚ·xₚ
//
// Tiles of few rows: one FMA chain over the rows outside of the tile, in the order of p, continued over those
// inside. No zero is multiplied, so what the definition does not read has no effect. A few tiles of L meet all panels
// before the next ones, so that L is fetched once for all of them.
// Error: backward stable row by row, |L·X − αB| ≤ (n + 3)·u·(|L||X| + |αB|).
//
// L may have any strides, also negative ones, or lie in packed tiles; rows of X are contiguous, at any distance.

/// The operands of some panels.
@frozen
public struct PanelCall<Scalar> {
  /// The rows of L in tiles.
  public var tiles: Partition
  /// Element (i, p) of tile t lies at `a[t * tileStride + i * aRow + p * aDepth]`, with i counted from row 0 of L if
  /// `tileStride` is 0, else from the tile's first row.
  public var a: UnsafePointer<Scalar>
  public var tileStride: Int
  public var aRow: Int
  public var aDepth: Int
  /// Solving: −1/lᵢᵢ, or −lᵢᵢ if `divides`. Multiplying: lᵢᵢ. One number a row.
  public var diagonal: UnsafePointer<Scalar>
  public var divides: Bool
  public var alpha: Scalar
  /// Row i of panel j starts at `x[j * panelStride + i * xRow]`.
  public var x: UnsafeMutablePointer<Scalar>
  public var xRow: Int
  public var panelStride: Int
  /// In all panels: two in each, but there may be one in the last.
  public var vectors: Int

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    tiles: Partition, a: UnsafePointer<Scalar>, tileStride: Int, aRow: Int, aDepth: Int,
    diagonal: UnsafePointer<Scalar>, divides: Bool, alpha: Scalar, x: UnsafeMutablePointer<Scalar>,
    xRow: Int, panelStride: Int, vectors: Int
  ) {
    self.tiles = tiles
    self.a = a
    self.tileStride = tileStride
    self.aRow = aRow
    self.aDepth = aDepth
    self.diagonal = diagonal
    self.divides = divides
    self.alpha = alpha
    self.x = x
    self.xRow = xRow
    self.panelStride = panelStride
    self.vectors = vectors
  }

  @_alwaysEmitIntoClient @inline(__always)
  var panels: Int { (vectors &+ 1) / 2 }

  /// The operands of tile t in panel j.
  @_alwaysEmitIntoClient @inline(__always)
  func tile(_ t: Int, _ j: Int) -> TriangleTileCall<Scalar> {
    let start = tiles.start(t)
    return TriangleTileCall(
      depth: start, a: a + (tileStride == 0 ? start &* aRow : t &* tileStride), aRow: AnyStep(aRow),
      aDepth: AnyStep(aDepth), diagonal: diagonal + start, divides: divides, alpha: alpha,
      x: x + j &* panelStride, xRow: xRow)
  }
}

/// The operands of one tile: its rows follow the `depth` rows of X above it.
@frozen
public struct TriangleTileCall<Scalar> {
  public var depth: Int
  public var a: UnsafePointer<Scalar>
  /// Made by the caller: where the multiples are made the compiler forgets them, and adds up the addresses.
  public var aRow: AnyStep
  public var aDepth: AnyStep
  public var diagonal: UnsafePointer<Scalar>
  public var divides: Bool
  public var alpha: Scalar
  public var x: UnsafeMutablePointer<Scalar>
  public var xRow: Int

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    depth: Int, a: UnsafePointer<Scalar>, aRow: AnyStep, aDepth: AnyStep, diagonal: UnsafePointer<Scalar>,
    divides: Bool, alpha: Scalar, x: UnsafeMutablePointer<Scalar>, xRow: Int
  ) {
    self.depth = depth
    self.a = a
    self.aRow = aRow
    self.aDepth = aDepth
    self.diagonal = diagonal
    self.divides = divides
    self.alpha = alpha
    self.x = x
    self.xRow = xRow
  }

  /// Σ_{p<depth} a(:, p)·xₚ in a tile.
  @_alwaysEmitIntoClient @inline(__always)
  func product<T: TriangularTile>(_ tile: T.Type, _ last: T.Unit.Mask) -> T where T.Scalar == Scalar {
    var sums = T()
    var (a, b) = (a, UnsafePointer(x))
    for _ in 0..<depth {
      sums.accumulate(a, aRow, T.S(loading: b, last))
      a += aDepth.stride
      b += xRow
    }
    return sums
  }

  /// The triangle on the diagonal.
  @_alwaysEmitIntoClient @inline(__always)
  var triangle: SmallTriangle<Scalar> {
    SmallTriangle(a + depth &* aDepth.stride, row: aRow, column: aDepth, diagonal: diagonal)
  }

  /// The tile's own rows of X.
  @_alwaysEmitIntoClient @inline(__always)
  var target: UnsafeMutablePointer<Scalar> { x + depth &* xRow }
}

/// X ← L⁻¹·α·X on one tile, given the rows above.
@frozen
public struct SolveTile<Unit: VectorUnit>: TileRoutine {
  public typealias Scalar = Unit.Scalar
  @_alwaysEmitIntoClient @inline(__always)
  public static var tallest: Int { Unit.tileRows }
  public var call: TriangleTileCall<Unit.Scalar>

  @_alwaysEmitIntoClient @inline(__always)
  public init(_ call: TriangleTileCall<Unit.Scalar>) { self.call = call }

  @_alwaysEmitIntoClient @inline(never)
  public func run<T: TriangularTile>(_ tile: T.Type) where T.Scalar == Scalar {
    let last = T.Unit.mask(first: T.Unit.lanes)
    // −(α·x − Σ a·x), because the sum is at hand and its negative is not.
    var sums = call.product(T.self, last)
    sums.add(call.target, call.xRow, T.Unit.negate(T.Unit.broadcast(call.alpha)), last)
    sums.substitute(call.triangle, divides: call.divides)
    sums.store(to: call.target, call.xRow, last)
  }
}

/// X ← α·L·X on one tile, whose rows above still hold what they held.
@frozen
public struct MultiplyTile<Unit: VectorUnit>: TileRoutine {
  public typealias Scalar = Unit.Scalar
  @_alwaysEmitIntoClient @inline(__always)
  public static var tallest: Int { Unit.tileRows }
  public var call: TriangleTileCall<Unit.Scalar>

  @_alwaysEmitIntoClient @inline(__always)
  public init(_ call: TriangleTileCall<Unit.Scalar>) { self.call = call }

  @_alwaysEmitIntoClient @inline(never)
  public func run<T: TriangularTile>(_ tile: T.Type) where T.Scalar == Scalar {
    let last = T.Unit.mask(first: T.Unit.lanes)
    var sums = call.product(T.self, last)
    sums.addTriangle(call.triangle, call.target, call.xRow, last)
    sums.overwrite(call.target, call.xRow, T.Unit.broadcast(call.alpha), last)
  }
}

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  @_alwaysEmitIntoClient
  public static func solveTriangle(_ call: PanelCall<Scalar>) {
    let groups = Partition(call.tiles.parts, limit: tilesTogether)
    for g in 0..<groups.parts {
      for j in 0..<call.panels {
        for t in groups.start(g)..<groups.start(g) &+ groups.size(g) {
          runTriangle(call, j, rows: call.tiles.size(t), SolveTile<Self>(call.tile(t, j)))
        }
      }
    }
  }

  @_alwaysEmitIntoClient
  public static func multiplyTriangle(_ call: PanelCall<Scalar>) {
    let groups = Partition(call.tiles.parts, limit: tilesTogether)
    for g in (0..<groups.parts).reversed() {
      for j in 0..<call.panels {
        for t in (groups.start(g)..<groups.start(g) &+ groups.size(g)).reversed() {
          runTriangle(call, j, rows: call.tiles.size(t), MultiplyTile<Self>(call.tile(t, j)))
        }
      }
    }
  }

  /// Tiles of L that meet a panel one after the other.
  @_alwaysEmitIntoClient @inline(__always)
  static var tilesTogether: Int { 4 }

  @_alwaysEmitIntoClient @inline(__always)
  static func runTriangle<R: TileRoutine>(_ call: PanelCall<Scalar>, _ j: Int, rows: Int, _ routine: R)
  where R.Scalar == Scalar {
    runTriangle(vectors: min(2, call.vectors &- 2 &* j), rows: rows, routine)
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func runTriangle<R: TileRoutine>(vectors: Int, rows: Int, _ routine: R) where R.Scalar == Scalar {
    if vectors == 1 {
      run(Whole<Self>.self, rows: rows, routine)
    } else {
      run(Whole2<Self>.self, rows: rows, routine)
    }
  }
}
