public import KernelTemplates

/// Targetᵢ ← f(Sourceᵢ + (absolute + relative · mean of its diagonal)·I) for `count` n × n matrices, f an inverse or a
/// factorization.
///
/// Of symmetric sources only the lower triangles are read; all of a target is written. A source may be its own target.
/// `outcomes[i]` becomes the index of the first bad pivot of the damped matrix, and then target i is left as it was; −1
/// if there is none. For symmetric matrices a pivot is bad if it is not above 0, NaN included.
public struct BatchedMatrices<S: KernelScalar> {
  public var source: MatrixPointer<S>
  /// Elements from one source to the next.
  public var sourceStride: Int
  public var target: MutableMatrixPointer<S>
  /// Elements from one target to the next.
  public var targetStride: Int
  /// Sources and targets are lower triangles, row by row without gaps: n·(n + 1)/2 elements each.
  public var isPacked: Bool
  public var count: Int
  public var absolute: S
  public var relative: S
  /// log |det| of each damped matrix, if wanted; NaN where a pivot is bad.
  public var logDeterminants: UnsafeMutablePointer<S>?
  public var outcomes: UnsafeMutablePointer<Int32>

  public init(
    source: MatrixPointer<S>, sourceStride: Int, target: MutableMatrixPointer<S>, targetStride: Int,
    isPacked: Bool = false, count: Int, absolute: S = 0, relative: S = 0,
    logDeterminants: UnsafeMutablePointer<S>? = nil, outcomes: UnsafeMutablePointer<Int32>
  ) {
    self.source = source
    self.sourceStride = sourceStride
    self.target = target
    self.targetStride = targetStride
    self.isPacked = isPacked
    self.count = count
    self.absolute = absolute
    self.relative = relative
    self.logDeterminants = logDeterminants
    self.outcomes = outcomes
  }

  /// n
  @inline(__always)
  var order: Int { source.rows }

  /// What is added to a matrix with this diagonal.
  @inline(__always)
  func damping<T: BinaryFloatingPoint>(_ diagonal: (Int) -> T) -> T {
    Damping<S>.value(T(absolute), T(relative), order: order, diagonal)
  }

  /// Element (r, c) of source `i`; r ≥ c if it is packed.
  @inline(__always)
  func source(_ i: Int, _ r: Int, _ c: Int) -> S {
    let place = isPacked ? Packed.index(r, c) : r * source.rowStride + c * source.columnStride
    return source.base[i * sourceStride + place]
  }

  /// Writes element (r, c) of target `i`; nothing if that is above the diagonal of a packed one.
  @inline(__always)
  func setTarget(_ i: Int, _ r: Int, _ c: Int, _ value: S) {
    if isPacked && r < c { return }
    let place = isPacked ? Packed.index(r, c) : r * target.rowStride + c * target.columnStride
    target.base[i * targetStride + place] = value
  }

  /// Lends this call as a group of one.
  @inline(__always)
  func asGroup(_ body: (UnsafeBufferPointer<BatchedMatrices>) -> Void) {
    withUnsafePointer(to: self) { body(UnsafeBufferPointer(start: $0, count: 1)) }
  }
}

/// Lower triangles, row by row without gaps.
enum Packed {
  /// The elements of a triangle of order n.
  @inline(__always)
  static func count(_ n: Int) -> Int { n * (n + 1) / 2 }

  /// The place of (r, c), r ≥ c.
  @inline(__always)
  static func index(_ r: Int, _ c: Int) -> Int { r * (r + 1) / 2 + c }
}

/// Rightᵢ ← Lᵢ⁻ᵀ·Lᵢ⁻¹·Rightᵢ for `count` Cholesky factors of order n and n × m right-hand sides.
///
/// Only the lower triangles of the factors are read. One factor may serve all: then its stride is 0.
public struct BatchedSolve<S: KernelScalar> {
  public var factor: MatrixPointer<S>
  /// Elements from one factor to the next.
  public var factorStride: Int
  /// The factors are lower triangles, row by row without gaps.
  public var isPacked: Bool
  public var right: MutableMatrixPointer<S>
  /// Elements from one right-hand side to the next.
  public var rightStride: Int
  public var count: Int

  public init(
    factor: MatrixPointer<S>, factorStride: Int, isPacked: Bool = false, right: MutableMatrixPointer<S>,
    rightStride: Int, count: Int
  ) {
    self.factor = factor
    self.factorStride = factorStride
    self.isPacked = isPacked
    self.right = right
    self.rightStride = rightStride
    self.count = count
  }

  /// Element (r, c), r ≥ c, of factor `i`.
  @inline(__always)
  func factor(_ i: Int, _ r: Int, _ c: Int) -> S {
    factor.base[
      i * factorStride + (isPacked ? Packed.index(r, c) : r * factor.rowStride + c * factor.columnStride)]
  }

  /// Right-hand side `i`.
  @inline(__always)
  func right(_ i: Int) -> MutableMatrixPointer<S> {
    var matrix = right
    matrix.base += i * rightStride
    return matrix
  }
}
