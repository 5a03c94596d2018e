public import KernelTemplates
import _Builtin_intrinsics.intel

// What the generic text of KernelTemplates needs to know of this instruction set. The conformances to `KernelSet` stand
// here too, because in debug builds code is specialised only within a file.

/// The kernels for `Float`.
public var avx2Float: any KernelSet<Float>.Type { AVX2Float.self }

/// The kernels for `Double`.
public var avx2Double: any KernelSet<Double>.Type { AVX2Double.self }

/// `Float` in 256-bit registers: 12 of the 16 hold a 6 × 16 tile.
enum AVX2Float: VectorUnit, KernelSet {
  typealias Scalar = Float
  typealias Vector = SIMD8<Float>
  typealias Mask = __m256i

  @inline(__always)
  static var tileRows: Int { 6 }

  @inline(__always)
  static var registers: Int { 16 }

  @inline(__always)
  static var masksAreFree: Bool { false }

  @inline(__always)
  static func broadcast(_ x: Float) -> Vector { _mm256_set1_ps(x) }

  @inline(__always)
  static func multiply(_ a: Vector, _ b: Vector) -> Vector { _mm256_mul_ps(a, b) }

  @inline(__always)
  static func divide(_ a: Vector, _ b: Vector) -> Vector { _mm256_div_ps(a, b) }

  @inline(__always)
  static func squareRoot(_ a: Vector) -> Vector { _mm256_sqrt_ps(a) }

  @inline(__always)
  static func magnitude(_ a: Vector) -> Vector { _mm256_andnot_ps(_mm256_set1_ps(-0.0), a) }

  @inline(__always)
  static func blend(_ a: Vector, _ b: Vector, whereNegative x: Vector) -> Vector {
    _mm256_blendv_ps(a, b, x)
  }

  @inline(__always)
  static func multiplyAdd(_ a: Vector, _ b: Vector, _ sum: Vector) -> Vector {
    _mm256_fmadd_ps(a, b, sum)
  }

  @inline(__always)
  static func squareRoot(_ x: Float) -> Float { _mm_cvtss_f32(_mm_sqrt_ps(_mm_set1_ps(x))) }

  @inline(__always)
  static func productError(_ a: Vector, _ b: Vector, _ product: Vector) -> Vector {
    multiplyAdd(a, b, -product)
  }

  // An integer below 2²³ added to 1.5·2²³ stands in the low bits of the sum.
  @inline(__always)
  static func powerOfTwo(_ n: Vector) -> Vector {
    let field = n + broadcast(0x1.8p23 + 127)
    return unsafeBitCast(_mm256_slli_epi32(unsafeBitCast(field, to: __m256i.self), 23), to: Vector.self)
  }

  @inline(__always)
  static func biasedExponent(_ x: Vector) -> Vector {
    let field = _mm256_srli_epi32(unsafeBitCast(x, to: __m256i.self), 23)
    let sum = _mm256_or_si256(field, unsafeBitCast(broadcast(0x1p23), to: __m256i.self))
    return unsafeBitCast(sum, to: Vector.self) - broadcast(0x1p23)
  }

  @inline(__always)
  static func mask(first count: Int) -> Mask {
    _mm256_cmpgt_epi32(
      _mm256_set1_epi32(Int32(truncatingIfNeeded: count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
  }

  @inline(__always)
  static func load(_ p: UnsafePointer<Float>, _ mask: Mask) -> Vector { _mm256_maskload_ps(p, mask) }

  @inline(__always)
  static func store(_ v: Vector, to p: UnsafeMutablePointer<Float>, _ mask: Mask) {
    _mm256_maskstore_ps(p, mask, v)
  }

  @inline(__always)
  static func select(_ a: Vector, _ b: Vector, where x: Vector, exceeds y: Vector) -> Vector {
    b.replacing(with: a, where: x .> y)
  }

  @inline(__always)
  static func transposeSquare(_ square: SquareCall<Float>) { Square8<Self>.transpose(square) }

  @inline(__always)
  static func multiplySquares(_ call: RowChainCall<Float>) { Square8<Self>.multiplyRows(call) }

  @inline(__always)
  static func runTile<S: Strip, R: RowStep>(
    _ strip: S.Type, rows: Int, _ step: R, _ call: UnsafeMutablePointer<TileCall<Float>>
  )
  where S.Unit == Self {
    switch S.vectors {
    case 3: Rows3<S>.select(rows: rows, step, call)
    case 4: Rows2<S>.select(rows: rows, step, call)
    default: Rows6<S>.select(rows: rows, step, call)
    }
  }

  @inline(__always)
  static func run<S: Strip, R: TileRoutine>(_ strip: S.Type, rows: Int, _ routine: R)
  where S.Unit == Self, R.Scalar == Float { Rows6<S>.run(rows: rows, routine) }
}

/// `Double` in 256-bit registers: 12 of the 16 hold a 6 × 8 tile.
enum AVX2Double: VectorUnit, KernelSet {
  typealias Scalar = Double
  typealias Vector = SIMD4<Double>
  typealias Mask = __m256i

  @inline(__always)
  static var tileRows: Int { 6 }

  @inline(__always)
  static var registers: Int { 16 }

  @inline(__always)
  static var masksAreFree: Bool { false }

  @inline(__always)
  static func broadcast(_ x: Double) -> Vector { _mm256_set1_pd(x) }

  @inline(__always)
  static func multiply(_ a: Vector, _ b: Vector) -> Vector { _mm256_mul_pd(a, b) }

  @inline(__always)
  static func divide(_ a: Vector, _ b: Vector) -> Vector { _mm256_div_pd(a, b) }

  @inline(__always)
  static func squareRoot(_ a: Vector) -> Vector { _mm256_sqrt_pd(a) }

  @inline(__always)
  static func magnitude(_ a: Vector) -> Vector { _mm256_andnot_pd(_mm256_set1_pd(-0.0), a) }

  @inline(__always)
  static func blend(_ a: Vector, _ b: Vector, whereNegative x: Vector) -> Vector {
    _mm256_blendv_pd(a, b, x)
  }

  @inline(__always)
  static func multiplyAdd(_ a: Vector, _ b: Vector, _ sum: Vector) -> Vector {
    _mm256_fmadd_pd(a, b, sum)
  }

  @inline(__always)
  static func squareRoot(_ x: Double) -> Double { _mm_cvtsd_f64(_mm_sqrt_pd(_mm_set1_pd(x))) }

  @inline(__always)
  static func productError(_ a: Vector, _ b: Vector, _ product: Vector) -> Vector {
    multiplyAdd(a, b, -product)
  }

  // An integer below 2⁵² added to 1.5·2⁵² stands in the low bits of the sum.
  @inline(__always)
  static func powerOfTwo(_ n: Vector) -> Vector {
    let field = n + broadcast(0x1.8p52 + 1023)
    return unsafeBitCast(_mm256_slli_epi64(unsafeBitCast(field, to: __m256i.self), 52), to: Vector.self)
  }

  @inline(__always)
  static func biasedExponent(_ x: Vector) -> Vector {
    let field = _mm256_srli_epi64(unsafeBitCast(x, to: __m256i.self), 52)
    let sum = _mm256_or_si256(field, unsafeBitCast(broadcast(0x1p52), to: __m256i.self))
    return unsafeBitCast(sum, to: Vector.self) - broadcast(0x1p52)
  }

  @inline(__always)
  static func mask(first count: Int) -> Mask {
    _mm256_cmpgt_epi64(_mm256_set1_epi64x(Int64(count)), _mm256_setr_epi64x(0, 1, 2, 3))
  }

  @inline(__always)
  static func load(_ p: UnsafePointer<Double>, _ mask: Mask) -> Vector { _mm256_maskload_pd(p, mask) }

  @inline(__always)
  static func store(_ v: Vector, to p: UnsafeMutablePointer<Double>, _ mask: Mask) {
    _mm256_maskstore_pd(p, mask, v)
  }

  @inline(__always)
  static func select(_ a: Vector, _ b: Vector, where x: Vector, exceeds y: Vector) -> Vector {
    b.replacing(with: a, where: x .> y)
  }

  @inline(__always)
  static func transposeSquare(_ square: SquareCall<Double>) { Square4<Self>.transpose(square) }

  @inline(__always)
  static func multiplySquares(_ call: RowChainCall<Double>) { Square4<Self>.multiplyRows(call) }

  @inline(__always)
  static func runTile<S: Strip, R: RowStep>(
    _ strip: S.Type, rows: Int, _ step: R, _ call: UnsafeMutablePointer<TileCall<Double>>
  )
  where S.Unit == Self {
    switch S.vectors {
    case 3: Rows3<S>.select(rows: rows, step, call)
    case 4: Rows2<S>.select(rows: rows, step, call)
    default: Rows6<S>.select(rows: rows, step, call)
    }
  }

  @inline(__always)
  static func run<S: Strip, R: TileRoutine>(_ strip: S.Type, rows: Int, _ routine: R)
  where S.Unit == Self, R.Scalar == Double { Rows6<S>.run(rows: rows, routine) }
}
