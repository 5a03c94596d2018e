public import FisherRuntime

// Lanes and the memory that they come from and go to.

/// The eight elements from `p` on.
@inlinable @inline(__always)
package func load<S: KernelScalar>(_ p: UnsafePointer<S>) -> Lanes<S> {
  Lanes(UnsafeRawPointer(p).loadUnaligned(as: SIMD8<S>.self))
}

/// `count` ≤ 8 elements from `p` on, and zeros.
@inlinable @inline(__always)
package func load<S: KernelScalar>(_ p: UnsafePointer<S>, _ count: Int) -> Lanes<S> {
  if count == 8 { return load(p) }
  var v = Lanes<S>.zero
  for lane in 0..<count { v[lane] = p[lane] }
  return v
}

/// Loads, and prefetches what comes 1024 elements later: several streams are too many for the prefetchers of the hardware.
@inlinable @inline(__always)
package func loadAhead<S: KernelScalar>(_ p: UnsafePointer<S>) -> Lanes<S> {
  prefetchLine(p + 1024)
  return load(p)
}

@inlinable @inline(__always)
package func store<S: KernelScalar>(_ v: Lanes<S>, to p: UnsafeMutablePointer<S>) {
  UnsafeMutableRawPointer(p).storeBytes(of: v.vector, as: SIMD8<S>.self)
}

/// Stores past the caches. `p` is aligned to 16 bytes; see ``streamingFence()``.
@inlinable @inline(__always)
package func stream<S: KernelScalar>(_ v: Lanes<S>, to p: UnsafeMutablePointer<S>) {
  let bytes = UnsafeMutableRawPointer(p)
  if S.self == Float.self {
    streamingStore(unsafeBitCast(v, to: SIMD8<Float>.self), to: bytes.assumingMemoryBound(to: Float.self))
  } else if S.self == Double.self {
    streamingStore(unsafeBitCast(v, to: SIMD8<Double>.self), to: bytes.assumingMemoryBound(to: Double.self))
  } else {
    store(v, to: p)
  }
}

/// Σ of the lanes: halves are added, then quarters, then the last two.
@inlinable @inline(__always)
package func pairwiseSum<S: KernelScalar>(_ v: Lanes<S>) -> S {
  let quarter = v.vector.lowHalf + v.vector.highHalf
  let pair = quarter.lowHalf + quarter.highHalf
  return pair[0] + pair[1]
}

/// The lanes in double precision.
@inlinable @inline(__always)
package func widened<S: KernelScalar>(_ v: Lanes<S>) -> Lanes<Double> {
  if S.self == Float.self { return Lanes(SIMD8<Double>(unsafeBitCast(v, to: SIMD8<Float>.self))) }
  if S.self == Double.self { return unsafeBitCast(v, to: Lanes<Double>.self) }
  var wide = Lanes<Double>.zero
  for lane in 0..<8 { wide[lane] = Double(v[lane]) }
  return wide
}

/// Stores the first `count` ≤ 8 lanes.
@inlinable @inline(__always)
package func store<S: KernelScalar>(_ v: Lanes<S>, to p: UnsafeMutablePointer<S>, _ count: Int) {
  if count == 8 { return store(v, to: p) }
  for lane in 0..<count { p[lane] = v[lane] }
}

/// Stores, and prefetches what will be written 1024 elements later: a line that is only written has to be read first.
@inlinable @inline(__always)
package func storeAhead<S: KernelScalar>(_ v: Lanes<S>, to p: UnsafeMutablePointer<S>) {
  prefetchLine(UnsafePointer(p + 1024))
  store(v, to: p)
}

/// Makes lanes of `zeros` NaN where `v` is not finite, and leaves the others: 0·x is NaN for NaN and infinity, and zero for
/// all others, so that the sum tells, and cannot overflow. Other types than these two may count their operations, and
/// this is none of the caller's.
@inlinable @inline(__always)
package func mark<S: KernelScalar>(_ v: Lanes<S>, in zeros: inout Lanes<S>, count: Int = 8) {
  if count == 8 && (S.self == Float.self || S.self == Double.self) {
    zeros += S.zero * v
    return
  }
  for lane in 0..<count where !v[lane].isFinite { zeros[lane] = .nan }
}
