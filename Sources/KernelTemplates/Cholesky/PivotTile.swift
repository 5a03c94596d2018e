// The factor of the small square on the diagonal, in registers: what a tile does after its product.
//
// A tile holds N = −S, h rows of the matrix after elimination of all rows above. Row by row, from the top,
//
//     d = −n_ii,    u_i = −n_i/√d,    n_j ← n_j + n_ij·(n_i/d)    for the rows j below
//
// The row that is eliminated next waits for 1/d and two multiply-adds only: the square root is off that chain.

/// How pivots are judged, and what became of them.
@frozen
public struct PivotRule<Scalar> {
  /// A pivot must be above this.
  public var floor: Scalar
  /// Whether `replacement` takes the place of a pivot that is not, unless it is NaN.
  public var replaces: Bool
  public var replacement: Scalar
  /// The index of the first bad pivot, −1 so far.
  public var firstBad = -1
  /// How many pivots were replaced.
  public var replaced = 0

  @_alwaysEmitIntoClient @inline(__always)
  public init(floor: Scalar, replaces: Bool, replacement: Scalar) {
    self.floor = floor
    self.replaces = replaces
    self.replacement = replacement
  }
}

/// Where the rows of a tile meet the diagonal.
@frozen
public struct PivotPlace<Scalar> {
  /// The first row of the tile in the factor, at the column of its pivot.
  public var square: UnsafeMutablePointer<Scalar>
  /// Elements from one row of the factor to the next.
  public var stride: Int
  /// Room for the tile's rows as they were before division.
  public var raw: UnsafeMutablePointer<Scalar>
  /// Elements from the first column of the tile to the column of its first pivot.
  public var column: Int
  /// −1/u_ii of the tile's rows.
  public var roots: UnsafeMutablePointer<Scalar>
  public var rule: UnsafeMutablePointer<PivotRule<Scalar>>
  /// The index of the first pivot in the whole matrix.
  public var index: Int

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    square: UnsafeMutablePointer<Scalar>, stride: Int, raw: UnsafeMutablePointer<Scalar>, column: Int,
    roots: UnsafeMutablePointer<Scalar>, rule: UnsafeMutablePointer<PivotRule<Scalar>>, index: Int
  ) {
    self.square = square
    self.stride = stride
    self.raw = raw
    self.column = column
    self.roots = roots
    self.rule = rule
    self.index = index
  }
}

/// What a pivot d makes of its row: √d, what the row is multiplied with for the rows below, 1/d, and for the factor,
/// −1/√d.
@frozen
public struct PivotScales<Scalar> {
  public var root: Scalar
  public var below: Scalar
  public var factor: Scalar

  @_alwaysEmitIntoClient @inline(__always)
  public init(root: Scalar, below: Scalar, factor: Scalar) {
    self.root = root
    self.below = below
    self.factor = factor
  }
}

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// Neither a pivot above this nor its reciprocal, if it is below the reciprocal of this, comes near underflow.
  @_alwaysEmitIntoClient @inline(__always)
  static var edge: Scalar { 4 * Scalar.leastNormalMagnitude }

  @_alwaysEmitIntoClient @inline(__always)
  public static func pivot(_ place: PivotPlace<Scalar>, _ i: Int) -> PivotScales<Scalar> {
    let d = -place.raw[i &* tileColumns &+ place.column &+ i]
    if _slowPath(!(d > place.rule.pointee.floor && d > edge && d < 1 / edge)) {
      return unusualPivot(d, place, i)
    }
    let (root, below) = (squareRoot(d), 1 / d)
    // Not −1/√d: the compiler would carry out both divisions in one, and 1/d would wait for the square root.
    let factor = -(root * below)
    place.roots[i] = factor
    return PivotScales(root: root, below: below, factor: factor)
  }

  /// A pivot that is not above the floor is replaced and counted, or taken for 1 and reported. If 1/d might overflow or
  /// underflow, the row and the coefficients in memory get a factor 1/√d each.
  @_alwaysEmitIntoClient @inline(never)
  static func unusualPivot(_ pivot: Scalar, _ place: PivotPlace<Scalar>, _ i: Int) -> PivotScales<Scalar> {
    var d = pivot
    let rule = place.rule
    if !(d > rule.pointee.floor) {
      if rule.pointee.replaces && !d.isNaN {
        rule.pointee.replaced &+= 1
        d = rule.pointee.replacement
      } else {
        if rule.pointee.firstBad < 0 { rule.pointee.firstBad = place.index &+ i }
        d = 1
      }
    }
    let root = squareRoot(d)
    let inverse = 1 / root
    place.roots[i] = -inverse
    if d > edge && d < 1 / edge { return PivotScales(root: root, below: 1 / d, factor: -inverse) }
    for j in 0..<tileColumns { place.raw[i &* tileColumns &+ j] *= inverse }
    return PivotScales(root: root, below: inverse, factor: -inverse)
  }
}

extension Row {
  @_alwaysEmitIntoClient @inline(__always)
  public mutating func factor(_ place: PivotPlace<Scalar>, _ last: S.Unit.Mask) {
    factor(place, row: 0, last)
  }

  /// Row `i` of a tile: the raw row and the row of the factor are written, and self becomes n/d.
  @_alwaysEmitIntoClient @inline(__always)
  mutating func factor(_ place: PivotPlace<Scalar>, row i: Int, _ last: S.Unit.Mask) {
    sum.store(to: place.raw + i &* S.Unit.tileColumns, last)
    let scales = S.Unit.pivot(place, i)
    var u = sum
    u.multiply(by: S.Unit.broadcast(scales.factor))
    sum.multiply(by: S.Unit.broadcast(scales.below))
    let row = place.square + i &* place.stride
    u.store(to: row - place.column, last)
    row[i] = scales.root
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func eliminate(from row: inout S, _ place: PivotPlace<Scalar>, _ i: Int) {
    eliminate(from: &row, place, 0, i)
  }

  /// As row `j` of a tile.
  @_alwaysEmitIntoClient @inline(__always)
  func eliminate(from row: inout S, _ place: PivotPlace<Scalar>, _ j: Int, _ i: Int) {
    row.multiplyAdd(S.Unit.broadcast(place.raw[j &* S.Unit.tileColumns &+ place.column &+ i]), sum)
  }
}

extension Taller where Upper: TriangularTile {
  @_alwaysEmitIntoClient @inline(__always)
  public mutating func factor(_ place: PivotPlace<Scalar>, _ last: S.Unit.Mask) {
    upper.factor(place, last)
    upper.eliminate(from: &bottom.sum, place, Upper.rows)
    bottom.factor(place, row: Upper.rows, last)
  }

  @_alwaysEmitIntoClient @inline(__always)
  public func eliminate(from row: inout S, _ place: PivotPlace<Scalar>, _ i: Int) {
    upper.eliminate(from: &row, place, i)
    bottom.eliminate(from: &row, place, Upper.rows, i)
  }
}
