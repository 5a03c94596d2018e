public import FisherLinearAlgebra

/// A tensor that an update reads, and where its successor goes.
@frozen
public struct UpdateTensor<Scalar: KernelScalar> {
  /// Nil for zeros.
  @usableFromInline let old: UnsafePointer<Scalar>?
  /// Nil if nothing is written. Never the memory of `old`.
  @usableFromInline let new: UnsafeMutablePointer<Scalar>?

  @usableFromInline
  package init(old: UnsafePointer<Scalar>? = nil, new: UnsafeMutablePointer<Scalar>? = nil) {
    self.old = old
    self.new = new
  }

  @inlinable @inline(__always)
  func isAligned(_ i: Int) -> Bool { new.map { UInt(bitPattern: $0 + i) & 15 == 0 } ?? true }
}

/// `count` ≤ 8 elements from `i` on, and zeros.
@inlinable @inline(__always)
func read<S: KernelScalar>(_ tensor: UpdateTensor<S>, _ i: Int, _ count: Int) -> Lanes<S> {
  guard let p = tensor.old else { return .zero }
  return count == 8 ? loadAhead(p + i) : load(p + i, count)
}

/// Stores the first `count` ≤ 8 lanes where something is kept, and looks whether they are finite.
@inlinable @inline(__always)
func write<S: KernelScalar>(
  _ v: Lanes<S>, _ tensor: UpdateTensor<S>, _ i: Int, _ count: Int, streams: Bool, _ zeros: inout Lanes<S>
) {
  guard let p = tensor.new else { return }
  mark(v, in: &zeros, count: count)
  if count < 8 {
    store(v, to: p + i, count)
  } else if streams {
    stream(v, to: p + i)
  } else {
    storeAhead(v, to: p + i)
  }
}
