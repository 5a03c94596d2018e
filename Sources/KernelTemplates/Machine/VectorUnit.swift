/// One instruction set's vector of one element type: everything the kernel text has to know about a machine.
///
/// Each kernel module declares one empty type per element type. Because that type is a parameter of every generic
/// kernel, the specialised code takes the compiler flags of that module and its symbols carry the module's name.
public protocol VectorUnit {
  // Unconstrained on purpose: a constraint here would make every kernel module emit a weak accessor for the element
  // type's conformance, compiled with that module's flags. Text that needs arithmetic or lanes says so in a where
  // clause (``Lanes``).
  associatedtype Scalar
  associatedtype Vector
  /// Which leading lanes of a vector take part in a load or store.
  associatedtype Mask

  /// MR, the rows of the tallest register tile; the tile is two vectors wide.
  static var tileRows: Int { get }

  /// The number of vector registers.
  static var registers: Int { get }

  /// Masked loads and stores of whole vectors take no longer than others, so that one tile serves whole and cut off vectors.
  static var masksAreFree: Bool { get }

  /// The number of lanes of a vector.
  static var lanes: Int { get }

  /// Zero in every lane.
  static var zero: Vector { get }
  /// One in every lane.
  static var one: Vector { get }
  /// x in every lane.
  static func broadcast(_ x: Scalar) -> Vector
  /// a·b
  static func multiply(_ a: Vector, _ b: Vector) -> Vector
  /// −a
  static func negate(_ a: Vector) -> Vector
  /// a / b
  static func divide(_ a: Vector, _ b: Vector) -> Vector
  /// √a
  static func squareRoot(_ a: Vector) -> Vector
  /// |a|
  static func magnitude(_ a: Vector) -> Vector
  /// b where the sign bit of `x` is set, else a.
  static func blend(_ a: Vector, _ b: Vector, whereNegative x: Vector) -> Vector
  /// a·b + sum: fused with one rounding where the machine has FMA, in two roundings where it has not.
  static func multiplyAdd(_ a: Vector, _ b: Vector, _ sum: Vector) -> Vector

  /// a where x > y, b elsewhere: also where one of the two is NaN.
  ///
  /// Comparisons of generic vectors become loops over the lanes; the unit knows the type.
  static func select(_ a: Vector, _ b: Vector, where x: Vector, exceeds y: Vector) -> Vector
  /// a·b − product, exactly: what the product lost by rounding.
  static func productError(_ a: Vector, _ b: Vector, _ product: Vector) -> Vector
  /// 2ⁿ for every whole n between the exponents of the smallest and the largest normal number.
  static func powerOfTwo(_ n: Vector) -> Vector
  /// The exponent field of a positive number: 127 (Float) or 1023 (Double) for 1 ≤ x < 2.
  static func biasedExponent(_ x: Vector) -> Vector

  /// The mask of the first `count` lanes, 0 … the number of lanes.
  static func mask(first count: Int) -> Mask
  /// The masked lanes from memory, zero in the others, whose memory is not touched.
  static func load(_ p: UnsafePointer<Scalar>, _ mask: Mask) -> Vector
  /// Writes the masked lanes and touches no other memory.
  static func store(_ v: Vector, to p: UnsafeMutablePointer<Scalar>, _ mask: Mask)

  /// Transposes a square: the unit names the ``Stack`` with as many rows as it has lanes.
  static func transposeSquare(_ square: SquareCall<Scalar>)
  /// A·x by squares of L × L elements: see RowChains.swift.
  static func multiplySquares(_ call: RowChainCall<Scalar>)
  /// Blocks of `width` lanes of x and y in turn: the even ones (`first` 0) or the odd ones (1).
  static func blocks(of width: Int, from first: Int, _ x: Vector, _ y: Vector) -> Vector

  /// √x
  static func squareRoot(_ x: Scalar) -> Scalar
  /// Judges pivot i of a tile, whose raw row has been written.
  static func pivot(_ place: PivotPlace<Scalar>, _ i: Int) -> PivotScales<Scalar>

  /// C ← α·A·B + β·C with columns that do not fill a vector, if this unit has a way of its own for so many rows, columns
  /// and steps. See NarrowTile.swift.
  ///
  /// - Returns: whether it was done.
  static func multiplyNarrow(_ call: NarrowCall<Scalar>) -> Bool

  /// Runs `call` on the tile of `rows` rows of `S`: at most ``tileRows``, or half as many of three vectors.
  static func runTile<S: Strip, R: RowStep>(
    _ strip: S.Type, rows: Int, _ step: R, _ call: UnsafeMutablePointer<TileCall<Scalar>>)
  where S.Unit == Self
  /// Runs `routine` on the tile of `rows` ≤ ``tileRows`` rows of `S`.
  static func run<S: Strip, R: TileRoutine>(_ strip: S.Type, rows: Int, _ routine: R)
  where S.Unit == Self, R.Scalar == Scalar
}

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  @_alwaysEmitIntoClient @inline(__always)
  public static var lanes: Int { Vector.scalarCount }

  @_alwaysEmitIntoClient @inline(__always)
  public static var zero: Vector { broadcast(0) }

  @_alwaysEmitIntoClient @inline(__always)
  public static var one: Vector { broadcast(1) }

  @_alwaysEmitIntoClient @inline(__always)
  public static func negate(_ a: Vector) -> Vector { multiply(broadcast(-1), a) }
}

extension VectorUnit {
  /// NR, the columns of the widest packed tile.
  @_alwaysEmitIntoClient @inline(__always)
  public static var tileColumns: Int { 2 &* lanes }

  /// The stride of a packed panel of A: MR rounded up to whole vectors.
  @_alwaysEmitIntoClient @inline(__always)
  public static var panelStride: Int { (tileRows &+ lanes &- 1) / lanes &* lanes }

  /// A full vector from unaligned memory.
  @_alwaysEmitIntoClient @inline(__always)
  public static func load(_ p: UnsafePointer<Scalar>) -> Vector {
    UnsafeRawPointer(p).loadUnaligned(as: Vector.self)
  }

  /// A full vector to unaligned memory.
  @_alwaysEmitIntoClient @inline(__always)
  public static func store(_ v: Vector, to p: UnsafeMutablePointer<Scalar>) {
    UnsafeMutableRawPointer(p).storeBytes(of: v, as: Vector.self)
  }
}
