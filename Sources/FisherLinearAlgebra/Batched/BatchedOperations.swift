public import KernelTemplates

/// Operations on many small matrices in one call.
public protocol BatchedOperations {
  /// The inverses of symmetric positive definite matrices; see ``BatchedInverse``.
  func invertPositiveDefinite<S: KernelScalar>(_ call: BatchedInverse<S>, threads: Int)
}

/// Targetᵢ ← (Sourceᵢ + (absolute + relative · mean of its diagonal)·I)⁻¹ for `count` symmetric positive definite
/// n × n matrices.
///
/// Only the lower triangles of the sources are read; both triangles of the targets are written. A source may be its
/// own target. `outcomes[i]` becomes the index of the first pivot of the damped matrix that is not above 0 (NaN
/// included), and then target i is left as it was; −1 if there is none.
public struct BatchedInverse<S: KernelScalar> {
  public var source: MatrixPointer<S>
  /// Elements from one source to the next.
  public var sourceStride: Int
  public var target: MutableMatrixPointer<S>
  /// Elements from one target to the next.
  public var targetStride: Int
  public var count: Int
  public var absolute: S
  public var relative: S
  /// log det of each damped matrix, if wanted; NaN where it is not positive definite.
  public var logDeterminants: UnsafeMutablePointer<S>?
  public var outcomes: UnsafeMutablePointer<Int32>

  public init(
    source: MatrixPointer<S>, sourceStride: Int, target: MutableMatrixPointer<S>, targetStride: Int,
    count: Int,
    absolute: S = 0, relative: S = 0, logDeterminants: UnsafeMutablePointer<S>? = nil,
    outcomes: UnsafeMutablePointer<Int32>
  ) {
    self.source = source
    self.sourceStride = sourceStride
    self.target = target
    self.targetStride = targetStride
    self.count = count
    self.absolute = absolute
    self.relative = relative
    self.logDeterminants = logDeterminants
    self.outcomes = outcomes
  }

  /// n
  @inline(__always)
  var order: Int { source.rows }

  /// What is added to the diagonal of a matrix with this trace. Without relative damping a NaN in the trace stays there.
  @inline(__always)
  func damping<T: BinaryFloatingPoint>(trace: T) -> T {
    relative == 0 ? T(absolute) : T(absolute) + T(relative) * trace / T(order)
  }

  /// Source `i`.
  @inline(__always)
  func source(_ i: Int) -> MatrixPointer<S> {
    var matrix = source
    matrix.base += i * sourceStride
    return matrix
  }

  /// Target `i`.
  @inline(__always)
  func target(_ i: Int) -> MutableMatrixPointer<S> {
    var matrix = target
    matrix.base += i * targetStride
    return matrix
  }
}

extension BatchedOperations {
  /// By the definition, one after the other: what a backend without kernels of its own does.
  public func invertPositiveDefinite<S: KernelScalar>(_ call: BatchedInverse<S>, threads: Int) {
    ReferenceBackend().invertPositiveDefinite(call, threads: threads)
  }
}
