public import FisherLinearAlgebra

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
  tensor.old.map { loadAhead($0 + i) } ?? .zero
}

@inlinable @inline(__always)
func write<S: KernelScalar>(
  _ v: Lanes<S>, _ tensor: UpdateTensor<S>, _ i: Int, streams: Bool, _ zeros: inout Lanes<S>
) {
  guard let p = tensor.new else { return }
  if streams { stream(v, to: p + i) } else { store(v, to: p + i) }
  mark(v, in: &zeros)
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
  mark(v, in: &zeros, count: count)
}
