public import FisherLinearAlgebra

#if arch(x86_64)
  public import _Builtin_intrinsics.intel
#endif

/// Eight neighbouring elements: what an update rule computes with at once.
public typealias Lanes<Scalar: SIMDScalar> = SIMD8<Scalar>

/// √x lane by lane, correctly rounded.
///
/// The standard library's `squareRoot()` on vectors calls the C function lane by lane, at a tenth of the speed.
@inlinable @inline(__always)
public func squareRoot<S: KernelScalar>(_ x: Lanes<S>) -> Lanes<S> {
  #if arch(x86_64)
    if S.self == Float.self {
      let x = unsafeBitCast(x, to: SIMD8<Float>.self)
      let root = SIMD8(lowHalf: _mm_sqrt_ps(x.lowHalf), highHalf: _mm_sqrt_ps(x.highHalf))
      return unsafeBitCast(root, to: Lanes<S>.self)
    }
    if S.self == Double.self {
      let x = unsafeBitCast(x, to: SIMD8<Double>.self)
      let low = SIMD4(lowHalf: _mm_sqrt_pd(x.lowHalf.lowHalf), highHalf: _mm_sqrt_pd(x.lowHalf.highHalf))
      let high = SIMD4(lowHalf: _mm_sqrt_pd(x.highHalf.lowHalf), highHalf: _mm_sqrt_pd(x.highHalf.highHalf))
      return unsafeBitCast(SIMD8(lowHalf: low, highHalf: high), to: Lanes<S>.self)
    }
  #endif
  return x.squareRoot()
}

/// The larger of each pair of lanes; a NaN in `b` is dropped.
@inlinable @inline(__always)
public func maximum<S: KernelScalar>(_ a: Lanes<S>, _ b: Lanes<S>) -> Lanes<S> {
  #if arch(x86_64)
    // b if b > a, else a: what the instruction does. `replacing(with:where:)` goes lane by lane.
    return pairwise(b, a, { _mm_max_ps($0, $1) }, { _mm_max_pd($0, $1) })
  #else
    return a.replacing(with: b, where: b .> a)
  #endif
}

/// −1, 0 or 1 in each lane; 0 for NaN.
@inlinable @inline(__always)
public func sign<S: KernelScalar>(_ x: Lanes<S>) -> Lanes<S> {
  let (zero, one) = (Lanes<S>.zero, Lanes<S>(repeating: 1))
  #if arch(x86_64)
    let above = pairwise(x, zero, { _mm_cmpgt_ps($0, $1) }, { _mm_cmpgt_pd($0, $1) })
    let below = pairwise(x, zero, { _mm_cmplt_ps($0, $1) }, { _mm_cmplt_pd($0, $1) })
    return pairwise(above, one, { _mm_and_ps($0, $1) }, { _mm_and_pd($0, $1) })
      - pairwise(below, one, { _mm_and_ps($0, $1) }, { _mm_and_pd($0, $1) })
  #else
    return zero.replacing(with: one, where: x .> 0).replacing(with: -one, where: x .< 0)
  #endif
}

#if arch(x86_64)
  /// Applies an instruction for four floats or two doubles to all lanes.
  @inlinable @inline(__always)
  func pairwise<S: KernelScalar>(
    _ a: Lanes<S>, _ b: Lanes<S>, _ floats: (SIMD4<Float>, SIMD4<Float>) -> SIMD4<Float>,
    _ doubles: (SIMD2<Double>, SIMD2<Double>) -> SIMD2<Double>
  ) -> Lanes<S> {
    if S.self == Float.self {
      let (a, b) = (unsafeBitCast(a, to: SIMD8<Float>.self), unsafeBitCast(b, to: SIMD8<Float>.self))
      let result = SIMD8(lowHalf: floats(a.lowHalf, b.lowHalf), highHalf: floats(a.highHalf, b.highHalf))
      return unsafeBitCast(result, to: Lanes<S>.self)
    }
    let (a, b) = (unsafeBitCast(a, to: SIMD8<Double>.self), unsafeBitCast(b, to: SIMD8<Double>.self))
    func half(_ a: SIMD4<Double>, _ b: SIMD4<Double>) -> SIMD4<Double> {
      SIMD4(lowHalf: doubles(a.lowHalf, b.lowHalf), highHalf: doubles(a.highHalf, b.highHalf))
    }
    let result = SIMD8(lowHalf: half(a.lowHalf, b.lowHalf), highHalf: half(a.highHalf, b.highHalf))
    return unsafeBitCast(result, to: Lanes<S>.self)
  }
#endif
