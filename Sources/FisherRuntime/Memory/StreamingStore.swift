import Builtin

#if arch(x86_64)
  public import _Builtin_intrinsics.intel
#endif

// Stores past the caches: what will not be read soon neither drives out what will, nor is its old content read before it
// is overwritten.

/// Whether this machine has stores past the caches that Swift can name.
@inlinable @inline(__always)
public var hasStreamingStores: Bool {
  #if arch(x86_64)
    true
  #else
    false
  #endif
}

/// Stores past the caches. `p` is aligned to 16 bytes; other threads see it after a ``streamingFence()``.
@inlinable @inline(__always)
public func streamingStore(_ v: SIMD8<Float>, to p: UnsafeMutablePointer<Float>) {
  #if arch(x86_64)
    _mm_stream_ps(p, v.lowHalf)
    _mm_stream_ps(p + 4, v.highHalf)
  #else
    UnsafeMutableRawPointer(p).storeBytes(of: v, as: SIMD8<Float>.self)
  #endif
}

/// Stores past the caches. `p` is aligned to 16 bytes; other threads see it after a ``streamingFence()``.
@inlinable @inline(__always)
public func streamingStore(_ v: SIMD8<Double>, to p: UnsafeMutablePointer<Double>) {
  #if arch(x86_64)
    _mm_stream_pd(p, v.lowHalf.lowHalf)
    _mm_stream_pd(p + 2, v.lowHalf.highHalf)
    _mm_stream_pd(p + 4, v.highHalf.lowHalf)
    _mm_stream_pd(p + 6, v.highHalf.highHalf)
  #else
    UnsafeMutableRawPointer(p).storeBytes(of: v, as: SIMD8<Double>.self)
  #endif
}

/// Orders earlier streaming stores before all later stores.
public func streamingFence() {
  #if arch(x86_64)
    Builtin.int_x86_sse_sfence()
  #endif
}
