public import KernelTemplates

// 128-bit vectors. arm64 has FMA and 32 registers; the x86-64 baseline has neither, so products are rounded before
// they are added, and that tier has bits of its own.

/// `Float` in 128-bit registers.
public enum PortableFloat: VectorUnit, KernelSet {
  public typealias Scalar = Float
  public typealias Vector = SIMD4<Float>
  public typealias Mask = Int

  @inlinable @inline(__always)
  public static func powerOfTwo(_ n: Vector) -> Vector {
    // An integer below 2²³ added to 1.5·2²³ stands in the low bits of the sum.
    let field = n + broadcast(0x1.8p23 + 127)
    return unsafeBitCast(unsafeBitCast(field, to: SIMD4<UInt32>.self) &<< 23, to: Vector.self)
  }

  @inlinable @inline(__always)
  public static func biasedExponent(_ x: Vector) -> Vector {
    let field = unsafeBitCast(x, to: SIMD4<UInt32>.self) &>> 23
    let sum = field | unsafeBitCast(broadcast(0x1p23), to: SIMD4<UInt32>.self)
    return unsafeBitCast(sum, to: Vector.self) - broadcast(0x1p23)
  }

  @inlinable @inline(__always)
  public static func select(_ a: Vector, _ b: Vector, where x: Vector, exceeds y: Vector) -> Vector {
    b.replacing(with: a, where: x .> y)
  }

  @inlinable @inline(__always)
  public static func transposeSquare(_ square: SquareCall<Float>) { Square4<Self>.transpose(square) }

  @inlinable @inline(__always)
  public static func runTile<S: Strip, R: RowStep>(
    _ strip: S.Type, rows: Int, _ step: R, _ call: UnsafeMutablePointer<TileCall<Float>>
  )
  where S.Unit == Self {
    switch S.vectors {
    case 3: PortableHalf<S>.select(rows: rows, step, call)
    case 4: Rows2<S>.select(rows: rows, step, call)
    default: PortableRows<S>.select(rows: rows, step, call)
    }
  }

  @inlinable @inline(__always)
  public static func run<S: Strip, R: TileRoutine>(_ strip: S.Type, rows: Int, _ routine: R)
  where S.Unit == Self, R.Scalar == Float { PortableRows<S>.run(rows: rows, routine) }
}

/// `Double` in 128-bit registers.
public enum PortableDouble: VectorUnit, KernelSet {
  public typealias Scalar = Double
  public typealias Vector = SIMD2<Double>
  public typealias Mask = Int

  @inlinable @inline(__always)
  public static func powerOfTwo(_ n: Vector) -> Vector {
    // An integer below 2⁵² added to 1.5·2⁵² stands in the low bits of the sum.
    let field = n + broadcast(0x1.8p52 + 1023)
    return unsafeBitCast(unsafeBitCast(field, to: SIMD2<UInt64>.self) &<< 52, to: Vector.self)
  }

  @inlinable @inline(__always)
  public static func biasedExponent(_ x: Vector) -> Vector {
    let field = unsafeBitCast(x, to: SIMD2<UInt64>.self) &>> 52
    let sum = field | unsafeBitCast(broadcast(0x1p52), to: SIMD2<UInt64>.self)
    return unsafeBitCast(sum, to: Vector.self) - broadcast(0x1p52)
  }

  @inlinable @inline(__always)
  public static func select(_ a: Vector, _ b: Vector, where x: Vector, exceeds y: Vector) -> Vector {
    b.replacing(with: a, where: x .> y)
  }

  @inlinable @inline(__always)
  public static func transposeSquare(_ square: SquareCall<Double>) { Square2<Self>.transpose(square) }

  @inlinable @inline(__always)
  public static func runTile<S: Strip, R: RowStep>(
    _ strip: S.Type, rows: Int, _ step: R, _ call: UnsafeMutablePointer<TileCall<Double>>
  )
  where S.Unit == Self {
    switch S.vectors {
    case 3: PortableHalf<S>.select(rows: rows, step, call)
    case 4: Rows2<S>.select(rows: rows, step, call)
    default: PortableRows<S>.select(rows: rows, step, call)
    }
  }

  @inlinable @inline(__always)
  public static func run<S: Strip, R: TileRoutine>(_ strip: S.Type, rows: Int, _ routine: R)
  where S.Unit == Self, R.Scalar == Double { PortableRows<S>.run(rows: rows, routine) }
}

#if arch(arm64)
  public typealias PortableRows<S: Strip> = Rows8<S>
  public typealias PortableHalf<S: Strip> = Rows4<S>
#else
  public typealias PortableRows<S: Strip> = Rows4<S>
  public typealias PortableHalf<S: Strip> = Rows2<S>
#endif

extension VectorUnit
where Mask == Int, Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  @inlinable @inline(__always)
  public static var tileRows: Int { PortableRows<Whole<Self>>.rows }

  @inlinable @inline(__always)
  public static var registers: Int {
    #if arch(arm64)
      return 32
    #else
      return 16
    #endif
  }

  @inlinable @inline(__always)
  public static var masksAreFree: Bool { false }

  @inlinable @inline(__always)
  public static func broadcast(_ x: Scalar) -> Vector { Vector(repeating: x) }

  @inlinable @inline(__always)
  public static func mask(first count: Int) -> Mask { count }

  @inlinable @inline(__always)
  public static func load(_ p: UnsafePointer<Scalar>, _ mask: Mask) -> Vector {
    var v = Vector()
    for i in 0..<mask { v[i] = p[i] }
    return v
  }

  @inlinable @inline(__always)
  public static func store(_ v: Vector, to p: UnsafeMutablePointer<Scalar>, _ mask: Mask) {
    for i in 0..<mask { p[i] = v[i] }
  }

  @inlinable @inline(__always)
  public static func squareRoot(_ x: Scalar) -> Scalar { x.squareRoot() }

  @inlinable @inline(__always)
  public static func multiply(_ a: Vector, _ b: Vector) -> Vector { a * b }

  @inlinable @inline(__always)
  public static func divide(_ a: Vector, _ b: Vector) -> Vector { a / b }

  @inlinable @inline(__always)
  public static func squareRoot(_ a: Vector) -> Vector {
    var roots = a
    for i in 0..<lanes { roots[i] = a[i].squareRoot() }
    return roots
  }

  @inlinable @inline(__always)
  public static func magnitude(_ a: Vector) -> Vector {
    var magnitudes = a
    for i in 0..<lanes { magnitudes[i] = a[i].magnitude }
    return magnitudes
  }

  @inlinable @inline(__always)
  public static func blend(_ a: Vector, _ b: Vector, whereNegative x: Vector) -> Vector {
    var chosen = a
    for i in 0..<lanes where x[i].sign == .minus { chosen[i] = b[i] }
    return chosen
  }

  @inlinable @inline(__always)
  public static func multiplyAdd(_ a: Vector, _ b: Vector, _ sum: Vector) -> Vector {
    #if arch(arm64)
      return sum.addingProduct(a, b)
    #else
      return sum + a * b
    #endif
  }

  @inlinable @inline(__always)
  public static func productError(_ a: Vector, _ b: Vector, _ product: Vector) -> Vector {
    #if arch(arm64)
      return (-product).addingProduct(a, b)
    #else
      return splitProductError(a, b, product)
    #endif
  }
}
