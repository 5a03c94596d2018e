public import KernelTemplates
import _Builtin_intrinsics.intel

// What the generic text of KernelTemplates needs to know of this instruction set. The conformances to `KernelSet` stand
// here too, because in debug builds code is specialised only within a file.

/// The kernels for `Float`.
public var avx512Float: any KernelSet<Float>.Type { AVX512Float.self }

/// The kernels for `Double`.
public var avx512Double: any KernelSet<Double>.Type { AVX512Double.self }

/// `Float` in 512-bit registers: 28 of the 32 hold a 14 × 32 tile.
enum AVX512Float: GroupedUnit, KernelSet {
  typealias Scalar = Float
  typealias Vector = SIMD16<Float>
  typealias Mask = __mmask16

  @inline(__always)
  static var tileRows: Int { 14 }

  @inline(__always)
  static var registers: Int { 32 }

  @inline(__always)
  static var masksAreFree: Bool { true }

  @inline(__always)
  static func broadcast(_ x: Float) -> Vector { _mm512_set1_ps(x) }

  @inline(__always)
  static func multiply(_ a: Vector, _ b: Vector) -> Vector { _mm512_mul_ps(a, b) }

  @inline(__always)
  static func divide(_ a: Vector, _ b: Vector) -> Vector { _mm512_div_ps(a, b) }

  @inline(__always)
  static func squareRoot(_ a: Vector) -> Vector { _mm512_sqrt_ps(a) }

  @inline(__always)
  static func magnitude(_ a: Vector) -> Vector { _mm512_abs_ps(a) }

  @inline(__always)
  static func blend(_ a: Vector, _ b: Vector, whereNegative x: Vector) -> Vector {
    _mm512_mask_blend_ps(_mm512_movepi32_mask(unsafeBitCast(x, to: __m512i.self)), a, b)
  }

  @inline(__always)
  static func multiplyAdd(_ a: Vector, _ b: Vector, _ sum: Vector) -> Vector {
    _mm512_fmadd_ps(a, b, sum)
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
    return unsafeBitCast(_mm512_slli_epi32(unsafeBitCast(field, to: __m512i.self), 23), to: Vector.self)
  }

  @inline(__always)
  static func biasedExponent(_ x: Vector) -> Vector {
    let field = _mm512_srli_epi32(unsafeBitCast(x, to: __m512i.self), 23)
    let sum = _mm512_or_si512(field, unsafeBitCast(broadcast(0x1p23), to: __m512i.self))
    return unsafeBitCast(sum, to: Vector.self) - broadcast(0x1p23)
  }

  @inline(__always)
  static func mask(first count: Int) -> Mask { Mask(truncatingIfNeeded: (1 &<< count) &- 1) }

  @inline(__always)
  static func load(_ p: UnsafePointer<Float>, _ mask: Mask) -> Vector {
    _mm512_maskz_loadu_ps(mask, p)
  }

  @inline(__always)
  static func store(_ v: Vector, to p: UnsafeMutablePointer<Float>, _ mask: Mask) {
    _mm512_mask_storeu_ps(p, mask, v)
  }

  @inline(__always)
  static func blocks(of width: Int, from first: Int, _ x: Vector, _ y: Vector) -> Vector {
    let places = blockPlaces(of: width, from: first, SIMD16<Int32>.self)
    return _mm512_permutex2var_ps(x, unsafeBitCast(places, to: __m512i.self), y)
  }

  @inline(__always)
  static func select(_ a: Vector, _ b: Vector, where x: Vector, exceeds y: Vector) -> Vector {
    b.replacing(with: a, where: x .> y)
  }

  @inline(__always)
  static func transposeSquare(_ square: SquareCall<Float>) { Square16<Self>.transpose(square) }

  @inline(__always)
  static func multiplySquares(_ call: RowChainCall<Float>) { Square16<Self>.multiplyRows(call) }

  @inline(__always)
  static var groupLanes: Int { 4 }

  @inline(__always)
  static func groups(_ p: UnsafePointer<Float>, stride: Int) -> Vector {
    func row(_ i: Int) -> SIMD4<Float> {
      UnsafeRawPointer(p + i &* stride).loadUnaligned(as: SIMD4<Float>.self)
    }
    return SIMD16(
      lowHalf: SIMD8(lowHalf: row(0), highHalf: row(1)), highHalf: SIMD8(lowHalf: row(2), highHalf: row(3)))
  }

  @inline(__always)
  static func places(lane: Int) -> __m512i { _mm512_set1_epi32(Int32(truncatingIfNeeded: lane)) }

  @inline(__always)
  static func spread(_ v: Vector, _ places: __m512i) -> Vector { _mm512_permutevar_ps(v, places) }

  @inline(__always)
  static func expanded(_ p: UnsafePointer<Float>) -> Vector {
    let places = SIMD16<Int32>(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3)
    return _mm512_permutexvar_ps(unsafeBitCast(places, to: __m512i.self), load(p, mask(first: 4)))
  }

  @inline(__always)
  static func repeated(_ p: UnsafePointer<Float>, _ mask: Mask) -> Vector {
    _mm512_broadcast_f32x4(_mm_maskz_loadu_ps(__mmask8(truncatingIfNeeded: mask), p))
  }

  @inline(__always)
  static func mask(_ lanes: Range<Int>) -> Mask {
    Mask(truncatingIfNeeded: (1 &<< lanes.upperBound) &- (1 &<< lanes.lowerBound))
  }

  @inline(__always)
  static func multiplyNarrow(_ call: NarrowCall<Float>) -> Bool { multiplyGroups(call) }

  @inline(__always)
  static func runTile<S: Strip, R: RowStep>(
    _ strip: S.Type, rows: Int, _ step: R, _ call: UnsafeMutablePointer<TileCall<Float>>
  )
  where S.Unit == Self {
    switch S.vectors {
    case 3: Rows7<S>.select(rows: rows, step, call)
    case 4: Rows6<S>.select(rows: rows, step, call)
    default: Rows14<S>.select(rows: rows, step, call)
    }
  }

  @inline(__always)
  static func run<S: Strip, R: TileRoutine>(_ strip: S.Type, rows: Int, _ routine: R)
  where S.Unit == Self, R.Scalar == Float { Rows14<S>.run(rows: rows, routine) }
}

/// `Double` in 512-bit registers: 28 of the 32 hold a 14 × 16 tile.
enum AVX512Double: GroupedUnit, KernelSet {
  typealias Scalar = Double
  typealias Vector = SIMD8<Double>
  typealias Mask = __mmask8

  @inline(__always)
  static var tileRows: Int { 14 }

  @inline(__always)
  static var registers: Int { 32 }

  @inline(__always)
  static var masksAreFree: Bool { true }

  @inline(__always)
  static func broadcast(_ x: Double) -> Vector { _mm512_set1_pd(x) }

  @inline(__always)
  static func multiply(_ a: Vector, _ b: Vector) -> Vector { _mm512_mul_pd(a, b) }

  @inline(__always)
  static func divide(_ a: Vector, _ b: Vector) -> Vector { _mm512_div_pd(a, b) }

  @inline(__always)
  static func squareRoot(_ a: Vector) -> Vector { _mm512_sqrt_pd(a) }

  @inline(__always)
  static func magnitude(_ a: Vector) -> Vector { _mm512_abs_pd(a) }

  @inline(__always)
  static func blend(_ a: Vector, _ b: Vector, whereNegative x: Vector) -> Vector {
    _mm512_mask_blend_pd(_mm512_movepi64_mask(unsafeBitCast(x, to: __m512i.self)), a, b)
  }

  @inline(__always)
  static func multiplyAdd(_ a: Vector, _ b: Vector, _ sum: Vector) -> Vector {
    _mm512_fmadd_pd(a, b, sum)
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
    return unsafeBitCast(_mm512_slli_epi64(unsafeBitCast(field, to: __m512i.self), 52), to: Vector.self)
  }

  @inline(__always)
  static func biasedExponent(_ x: Vector) -> Vector {
    let field = _mm512_srli_epi64(unsafeBitCast(x, to: __m512i.self), 52)
    let sum = _mm512_or_si512(field, unsafeBitCast(broadcast(0x1p52), to: __m512i.self))
    return unsafeBitCast(sum, to: Vector.self) - broadcast(0x1p52)
  }

  @inline(__always)
  static func mask(first count: Int) -> Mask { Mask(truncatingIfNeeded: (1 &<< count) &- 1) }

  @inline(__always)
  static func load(_ p: UnsafePointer<Double>, _ mask: Mask) -> Vector {
    _mm512_maskz_loadu_pd(mask, p)
  }

  @inline(__always)
  static func store(_ v: Vector, to p: UnsafeMutablePointer<Double>, _ mask: Mask) {
    _mm512_mask_storeu_pd(p, mask, v)
  }

  @inline(__always)
  static func blocks(of width: Int, from first: Int, _ x: Vector, _ y: Vector) -> Vector {
    let places = blockPlaces(of: width, from: first, SIMD8<Int64>.self)
    return _mm512_permutex2var_pd(x, places, y)
  }

  @inline(__always)
  static func select(_ a: Vector, _ b: Vector, where x: Vector, exceeds y: Vector) -> Vector {
    b.replacing(with: a, where: x .> y)
  }

  @inline(__always)
  static func transposeSquare(_ square: SquareCall<Double>) { Square8<Self>.transpose(square) }

  @inline(__always)
  static func multiplySquares(_ call: RowChainCall<Double>) { Square8<Self>.multiplyRows(call) }

  @inline(__always)
  static var groupLanes: Int { 2 }

  @inline(__always)
  static func groups(_ p: UnsafePointer<Double>, stride: Int) -> Vector {
    func row(_ i: Int) -> SIMD2<Double> {
      UnsafeRawPointer(p + i &* stride).loadUnaligned(as: SIMD2<Double>.self)
    }
    return SIMD8(
      lowHalf: SIMD4(lowHalf: row(0), highHalf: row(1)), highHalf: SIMD4(lowHalf: row(2), highHalf: row(3)))
  }

  @inline(__always)
  static func places(lane: Int) -> __m512i { _mm512_set1_epi64(Int64(truncatingIfNeeded: lane) &<< 1) }

  @inline(__always)
  static func spread(_ v: Vector, _ places: __m512i) -> Vector { _mm512_permutevar_pd(v, places) }

  @inline(__always)
  static func expanded(_ p: UnsafePointer<Double>) -> Vector {
    let places = SIMD8<Int64>(0, 0, 1, 1, 2, 2, 3, 3)
    return _mm512_permutexvar_pd(places, load(p, mask(first: 4)))
  }

  @inline(__always)
  static func repeated(_ p: UnsafePointer<Double>, _ mask: Mask) -> Vector {
    _mm512_broadcast_f64x2(_mm_maskz_loadu_pd(mask, p))
  }

  @inline(__always)
  static func mask(_ lanes: Range<Int>) -> Mask {
    Mask(truncatingIfNeeded: (1 &<< lanes.upperBound) &- (1 &<< lanes.lowerBound))
  }

  @inline(__always)
  static func multiplyNarrow(_ call: NarrowCall<Double>) -> Bool { multiplyGroups(call) }

  @inline(__always)
  static func runTile<S: Strip, R: RowStep>(
    _ strip: S.Type, rows: Int, _ step: R, _ call: UnsafeMutablePointer<TileCall<Double>>
  )
  where S.Unit == Self {
    switch S.vectors {
    case 3: Rows7<S>.select(rows: rows, step, call)
    case 4: Rows6<S>.select(rows: rows, step, call)
    default: Rows14<S>.select(rows: rows, step, call)
    }
  }

  @inline(__always)
  static func run<S: Strip, R: TileRoutine>(_ strip: S.Type, rows: Int, _ routine: R)
  where S.Unit == Self, R.Scalar == Double { Rows14<S>.run(rows: rows, routine) }
}
