public import FisherLinearAlgebra
public import FisherRuntime

/// A tensor that an update reads, and where its successor goes.
@frozen
public struct UpdateTensor<Scalar: KernelScalar> {
  /// Nil for zeros.
  @usableFromInline let old: UnsafePointer<Scalar>?
  /// Nil if nothing is written. Never the memory of `old`.
  @usableFromInline let new: UnsafeMutablePointer<Scalar>?

  @usableFromInline
  init(old: UnsafePointer<Scalar>? = nil, new: UnsafeMutablePointer<Scalar>? = nil) {
    self.old = old
    self.new = new
  }

  @inlinable @inline(__always)
  func isAligned(_ i: Int) -> Bool { new.map { UInt(bitPattern: $0 + i) & 15 == 0 } ?? true }
}

@inlinable @inline(__always)
func read<S: KernelScalar>(_ tensor: UpdateTensor<S>, _ i: Int) -> Lanes<S> {
  tensor.old.map { ahead($0 + i) } ?? .zero
}

@inlinable @inline(__always)
func write<S: KernelScalar>(
  _ v: Lanes<S>, _ tensor: UpdateTensor<S>, _ i: Int, streams: Bool, _ zeros: inout Lanes<S>
) {
  guard let p = tensor.new else { return }
  if streams { stream(v, to: p + i) } else { store(v, to: p + i) }
  mark(v, 8, &zeros)
}

/// Makes a lane NaN that is not finite. Other types than these two may count their operations, and this is none of the
/// rule's.
@inlinable @inline(__always)
func mark<S: KernelScalar>(_ v: Lanes<S>, _ count: Int, _ zeros: inout Lanes<S>) {
  if count == 8 && (S.self == Float.self || S.self == Double.self) {
    zeros += S.zero * v
    return
  }
  for lane in 0..<count where !v[lane].isFinite { zeros[lane] = .nan }
}

@inlinable @inline(__always)
func read<S: KernelScalar>(_ tensor: UpdateTensor<S>, _ i: Int, _ count: Int) -> Lanes<S> {
  tensor.old.map { load($0 + i, count) } ?? .zero
}

@inlinable @inline(__always)
func write<S: KernelScalar>(
  _ v: Lanes<S>, _ tensor: UpdateTensor<S>, _ i: Int, _ count: Int, _ zeros: inout Lanes<S>
) {
  guard let p = tensor.new else { return }
  for lane in 0..<count { p[i + lane] = v[lane] }
  mark(v, count, &zeros)
}

/// Loads, and prefetches what comes 1024 elements later: several streams are too many for the prefetchers of the hardware.
@inlinable @inline(__always)
func ahead<S: KernelScalar>(_ p: UnsafePointer<S>) -> Lanes<S> {
  prefetchLine(p + 1024)
  return load(p)
}

@inlinable @inline(__always)
func load<S: KernelScalar>(_ p: UnsafePointer<S>) -> Lanes<S> {
  Lanes(UnsafeRawPointer(p).loadUnaligned(as: SIMD8<S>.self))
}

@inlinable @inline(__always)
func store<S: KernelScalar>(_ v: Lanes<S>, to p: UnsafeMutablePointer<S>) {
  UnsafeMutableRawPointer(p).storeBytes(of: v.vector, as: SIMD8<S>.self)
}

/// Stores past the caches. `p` is aligned to 16 bytes.
@inlinable @inline(__always)
func stream<S: KernelScalar>(_ v: Lanes<S>, to p: UnsafeMutablePointer<S>) {
  let bytes = UnsafeMutableRawPointer(p)
  if S.self == Float.self {
    streamingStore(unsafeBitCast(v, to: SIMD8<Float>.self), to: bytes.assumingMemoryBound(to: Float.self))
  } else if S.self == Double.self {
    streamingStore(unsafeBitCast(v, to: SIMD8<Double>.self), to: bytes.assumingMemoryBound(to: Double.self))
  } else {
    store(v, to: p)
  }
}

@inlinable @inline(__always)
func load<S: KernelScalar>(_ p: UnsafePointer<S>, _ count: Int) -> Lanes<S> {
  var v = Lanes<S>.zero
  for lane in 0..<count { v[lane] = p[lane] }
  return v
}
