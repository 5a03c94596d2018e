public import KernelTemplates

// 128-bit vectors. arm64 has FMA and 32 registers; the x86-64 baseline has neither, so products are rounded before
// they are added, and that tier has bits of its own.

/// The kernels for `Float`.
public var portableFloat: any KernelSet<Float>.Type { PortableFloat.self }

/// The kernels for `Double`.
public var portableDouble: any KernelSet<Double>.Type { PortableDouble.self }

/// `Float` in 128-bit registers.
enum PortableFloat: VectorUnit, KernelSet {
  typealias Scalar = Float
  typealias Vector = SIMD4<Float>
  typealias Mask = Int

  @inline(__always)
  static func powerOfTwo(_ n: Vector) -> Vector {
    // An integer below 2²³ added to 1.5·2²³ stands in the low bits of the sum.
    let field = n + broadcast(0x1.8p23 + 127)
    return unsafeBitCast(unsafeBitCast(field, to: SIMD4<UInt32>.self) &<< 23, to: Vector.self)
  }

  @inline(__always)
  static func biasedExponent(_ x: Vector) -> Vector {
    let field = unsafeBitCast(x, to: SIMD4<UInt32>.self) &>> 23
    let sum = field | unsafeBitCast(broadcast(0x1p23), to: SIMD4<UInt32>.self)
    return unsafeBitCast(sum, to: Vector.self) - broadcast(0x1p23)
  }

  @inline(__always)
  static func select(_ a: Vector, _ b: Vector, where x: Vector, exceeds y: Vector) -> Vector {
    b.replacing(with: a, where: x .> y)
  }

  @inline(__always)
  static func transposeSquare(_ square: SquareCall<Float>) { Square4<Self>.transpose(square) }

  @inline(__always)
  static func multiplySquares(_ call: RowChainCall<Float>) { Square4<Self>.multiplyRows(call) }

  @inline(__always)
  static func runTile<S: Strip, R: RowStep>(
    _ strip: S.Type, rows: Int, _ step: R, _ call: UnsafeMutablePointer<TileCall<Float>>
  )
  where S.Unit == Self {
    switch S.vectors {
    case 3: PortableHalf<S>.select(rows: rows, step, call)
    case 4: Rows2<S>.select(rows: rows, step, call)
    default: PortableRows<S>.select(rows: rows, step, call)
    }
  }

  @inline(__always)
  static func run<S: Strip, R: TileRoutine>(_ strip: S.Type, rows: Int, _ routine: R)
  where S.Unit == Self, R.Scalar == Float { PortableRows<S>.run(rows: rows, routine) }
}

/// `Double` in 128-bit registers.
enum PortableDouble: VectorUnit, KernelSet {
  typealias Scalar = Double
  typealias Vector = SIMD2<Double>
  typealias Mask = Int

  @inline(__always)
  static func powerOfTwo(_ n: Vector) -> Vector {
    // An integer below 2⁵² added to 1.5·2⁵² stands in the low bits of the sum.
    let field = n + broadcast(0x1.8p52 + 1023)
    return unsafeBitCast(unsafeBitCast(field, to: SIMD2<UInt64>.self) &<< 52, to: Vector.self)
  }

  @inline(__always)
  static func biasedExponent(_ x: Vector) -> Vector {
    let field = unsafeBitCast(x, to: SIMD2<UInt64>.self) &>> 52
    let sum = field | unsafeBitCast(broadcast(0x1p52), to: SIMD2<UInt64>.self)
    return unsafeBitCast(sum, to: Vector.self) - broadcast(0x1p52)
  }

  @inline(__always)
  static func select(_ a: Vector, _ b: Vector, where x: Vector, exceeds y: Vector) -> Vector {
    b.replacing(with: a, where: x .> y)
  }

  @inline(__always)
  static func transposeSquare(_ square: SquareCall<Double>) { Square2<Self>.transpose(square) }

  @inline(__always)
  static func multiplySquares(_ call: RowChainCall<Double>) { Square2<Self>.multiplyRows(call) }

  @inline(__always)
  static func runTile<S: Strip, R: RowStep>(
    _ strip: S.Type, rows: Int, _ step: R, _ call: UnsafeMutablePointer<TileCall<Double>>
  )
  where S.Unit == Self {
    switch S.vectors {
    case 3: PortableHalf<S>.select(rows: rows, step, call)
    case 4: Rows2<S>.select(rows: rows, step, call)
    default: PortableRows<S>.select(rows: rows, step, call)
    }
  }

  @inline(__always)
  static func run<S: Strip, R: TileRoutine>(_ strip: S.Type, rows: Int, _ routine: R)
  where S.Unit == Self, R.Scalar == Double { PortableRows<S>.run(rows: rows, routine) }
}

#if arch(arm64)
  typealias PortableRows<S: Strip> = Rows8<S>
  typealias PortableHalf<S: Strip> = Rows4<S>
#else
  typealias PortableRows<S: Strip> = Rows4<S>
  typealias PortableHalf<S: Strip> = Rows2<S>
#endif

extension VectorUnit
where Mask == Int, Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  @inline(__always)
  static var tileRows: Int { PortableRows<Whole<Self>>.rows }

  @inline(__always)
  static var registers: Int {
    #if arch(arm64)
      return 32
    #else
      return 16
    #endif
  }

  @inline(__always)
  static var masksAreFree: Bool { false }

  @inline(__always)
  static func broadcast(_ x: Scalar) -> Vector { Vector(repeating: x) }

  @inline(__always)
  static func mask(first count: Int) -> Mask { count }

  @inline(__always)
  static func load(_ p: UnsafePointer<Scalar>, _ mask: Mask) -> Vector {
    var v = Vector()
    for i in 0..<mask { v[i] = p[i] }
    return v
  }

  @inline(__always)
  static func store(_ v: Vector, to p: UnsafeMutablePointer<Scalar>, _ mask: Mask) {
    for i in 0..<mask { p[i] = v[i] }
  }

  @inline(__always)
  static func squareRoot(_ x: Scalar) -> Scalar { x.squareRoot() }

  @inline(__always)
  static func multiply(_ a: Vector, _ b: Vector) -> Vector { a * b }

  @inline(__always)
  static func divide(_ a: Vector, _ b: Vector) -> Vector { a / b }

  @inline(__always)
  static func squareRoot(_ a: Vector) -> Vector {
    var roots = a
    for i in 0..<lanes { roots[i] = a[i].squareRoot() }
    return roots
  }

  @inline(__always)
  static func magnitude(_ a: Vector) -> Vector {
    var magnitudes = a
    for i in 0..<lanes { magnitudes[i] = a[i].magnitude }
    return magnitudes
  }

  @inline(__always)
  static func blend(_ a: Vector, _ b: Vector, whereNegative x: Vector) -> Vector {
    var chosen = a
    for i in 0..<lanes where x[i].sign == .minus { chosen[i] = b[i] }
    return chosen
  }

  @inline(__always)
  static func multiplyAdd(_ a: Vector, _ b: Vector, _ sum: Vector) -> Vector {
    #if arch(arm64)
      return sum.addingProduct(a, b)
    #else
      return sum + a * b
    #endif
  }

  @inline(__always)
  static func productError(_ a: Vector, _ b: Vector, _ product: Vector) -> Vector {
    #if arch(arm64)
      return (-product).addingProduct(a, b)
    #else
      return splitProductError(a, b, product)
    #endif
  }
}
