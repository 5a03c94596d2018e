public import KernelTemplates

/// Targetᵢ ← f(Sourceᵢ + (absolute + relative · mean of its diagonal)·I) for `count` n × n matrices, f an inverse or a
/// factorization.
///
/// Of symmetric sources only the lower triangles are read; all of a target is written. A source may be its own target.
/// `outcomes[i]` becomes the index of the first bad pivot of the damped matrix, and then target i is left as it was; −1
/// if there is none. For symmetric matrices a pivot is bad if it is not above 0, NaN included.
public struct BatchedMatrices<S: KernelScalar> {
  public var source: BatchOperand<S>
  public var target: BatchOperand<S>
  public var count: Int
  public var absolute: S
  public var relative: S
  /// log |det| of each damped matrix, if wanted; NaN where a pivot is bad.
  public var logDeterminants: UnsafeMutablePointer<S>?
  public var outcomes: UnsafeMutablePointer<Int32>

  public init(
    source: BatchOperand<S>, target: BatchOperand<S>, count: Int, absolute: S = 0, relative: S = 0,
    logDeterminants: UnsafeMutablePointer<S>? = nil, outcomes: UnsafeMutablePointer<Int32>
  ) {
    self.source = source
    self.target = target
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

  /// Lends this call as a group of one.
  @inline(__always)
  func asGroup(_ body: (UnsafeBufferPointer<BatchedMatrices>) -> Void) {
    withUnsafePointer(to: self) { body(UnsafeBufferPointer(start: $0, count: 1)) }
  }
}

/// Rightᵢ ← Lᵢ⁻ᵀ·Lᵢ⁻¹·Rightᵢ for `count` Cholesky factors of order n and n × m right-hand sides.
///
/// Only the lower triangles of the factors are read. One factor may serve all: then its stride is 0.
public struct BatchedSolve<S: KernelScalar> {
  public var factor: BatchOperand<S>
  public var right: BatchOperand<S>
  public var count: Int

  public init(factor: BatchOperand<S>, right: BatchOperand<S>, count: Int) {
    self.factor = factor
    self.right = right
    self.count = count
  }
}

/// Targetᵢ ← β·Sourceᵢ + α·Σₛ xᵢₛ·xᵢₛᵀ for symmetric matrices, interleaved triangles both; the source may be the target.
public struct BatchedOuterProducts<S: KernelScalar> {
  public var source: BatchOperand<S>
  public var target: BatchOperand<S>
  /// Row i of a sample belongs to matrix i.
  public var samples: MatrixPointer<S>
  public var sampleCount: Int
  /// Elements from one sample to the next.
  public var sampleStride: Int
  public var alpha: S
  /// With 0, the source is not read.
  public var beta: S

  public init(
    source: BatchOperand<S>, target: BatchOperand<S>, samples: MatrixPointer<S>, sampleCount: Int,
    sampleStride: Int, alpha: S, beta: S
  ) {
    self.source = source
    self.target = target
    self.samples = samples
    self.sampleCount = sampleCount
    self.sampleStride = sampleStride
    self.alpha = alpha
    self.beta = beta
  }
}

/// yᵢ ← Aᵢ·xᵢ for symmetric matrices, interleaved triangles; xᵢ and yᵢ are rows.
public struct BatchedProducts<S: KernelScalar> {
  public var matrices: BatchOperand<S>
  public var x: MatrixPointer<S>
  public var y: MutableMatrixPointer<S>

  public init(matrices: BatchOperand<S>, x: MatrixPointer<S>, y: MutableMatrixPointer<S>) {
    self.matrices = matrices
    self.x = x
    self.y = y
  }
}
