// The arguments of the routines that take more than two operands, as values.

/// C ← activation(α·A·B + β·C + bias), with A m×k, B k×n and C m×n.
///
/// α = 0: A and B are not read. β = 0: C is not read. k = 0: C ← activation(β·C + bias).
@frozen
public struct Gemm<Scalar> {
  public var alpha: Scalar
  public var a: MatrixPointer<Scalar>
  public var b: MatrixPointer<Scalar>
  public var beta: Scalar
  public var c: MutableMatrixPointer<Scalar>
  public var epilogue: Epilogue<Scalar>

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    alpha: Scalar, a: MatrixPointer<Scalar>, b: MatrixPointer<Scalar>, beta: Scalar,
    c: MutableMatrixPointer<Scalar>, epilogue: Epilogue<Scalar> = Epilogue()
  ) {
    self.alpha = alpha
    self.a = a
    self.b = b
    self.beta = beta
    self.c = c
    self.epilogue = epilogue
  }
}

/// What is done to C once the whole product has been added: a bias, then an elementwise function, then a quotient.
@frozen
public struct Epilogue<Scalar> {
  /// Where the bias vector is added.
  @frozen
  public enum Bias {
    case none
    /// A row of n values, added to every row of C.
    case row(VectorPointer<Scalar>)
    /// A column of m values, added to every column of C.
    case column(VectorPointer<Scalar>)
  }

  public var bias: Bias
  public var activation: Activation<Scalar>
  public var divisor: Divisor<Scalar>

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    bias: Bias = .none, activation: Activation<Scalar> = .identity, divisor: Divisor<Scalar> = .none
  ) {
    self.bias = bias
    self.activation = activation
    self.divisor = divisor
  }

  /// Nothing is to be done.
  @_alwaysEmitIntoClient @inline(__always)
  public var isIdentity: Bool {
    if case .none = bias, case .identity = activation, case .none = divisor { return true }
    return false
  }

  /// The epilogue of the transposed product: rows and columns exchange their roles.
  @_alwaysEmitIntoClient @inline(__always)
  public var transposed: Epilogue {
    var result = self
    result.divisor = divisor.transposed
    switch bias {
    case .none: break
    case .row(let values): result.bias = .column(values)
    case .column(let values): result.bias = .row(values)
    }
    return result
  }
}

/// What the elements of a product are divided by.
@frozen
public enum Divisor<Scalar> {
  case none
  /// sᵢ·tⱼ + damping
  case outer(_ s: VectorPointer<Scalar>, _ t: VectorPointer<Scalar>, damping: Scalar)
  /// Sᵢⱼ + damping
  case elements(_ s: MatrixPointer<Scalar>, damping: Scalar)

  /// The divisor of the transposed product.
  @_alwaysEmitIntoClient @inline(__always)
  public var transposed: Divisor {
    switch self {
    case .none: return self
    case .outer(let s, let t, let damping): return .outer(t, s, damping: damping)
    case .elements(let s, let damping): return .elements(s.transposed, damping: damping)
    }
  }

  /// The divisor of the block whose first element is (i, j).
  @_alwaysEmitIntoClient @inline(__always)
  public func block(_ i: Int, _ j: Int) -> Divisor {
    switch self {
    case .none: return self
    case .outer(let s, let t, let damping):
      return .outer(
        VectorPointer(s.base + i &* s.stride, count: s.count &- i, stride: s.stride),
        VectorPointer(t.base + j &* t.stride, count: t.count &- j, stride: t.stride), damping: damping)
    case .elements(let s, let damping):
      return .elements(s.block(i, j, rows: s.rows &- i, columns: s.columns &- j), damping: damping)
    }
  }
}

/// An elementwise function fused into the end of a product. NaN stays NaN in each of them.
@frozen
public enum Activation<Scalar> {
  /// x
  case identity
  /// x if x > 0, else 0
  case relu
  /// x if x > 0, else slope·x
  case leakyRelu(slope: Scalar)
}

/// Which half of a symmetric or triangular matrix is referenced; the diagonal belongs to both.
@frozen
public enum Triangle: Sendable, CaseIterable {
  case lower, upper

  /// The other half.
  @_alwaysEmitIntoClient @inline(__always)
  public var opposite: Triangle { self == .lower ? .upper : .lower }
}

/// The triangle of C ← α·A·Aᵀ + β·C, with A n×k and C n×n symmetric. AᵀA is the same call with A transposed.
///
/// α, β, k = 0 as in ``Gemm``. The other triangle is neither read nor written, unless `mirror` asks for a full
/// symmetric result: then it is overwritten with the transposed copy.
@frozen
public struct Syrk<Scalar> {
  public var alpha: Scalar
  public var a: MatrixPointer<Scalar>
  public var beta: Scalar
  public var c: MutableMatrixPointer<Scalar>
  public var triangle: Triangle
  public var mirror: Bool

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    alpha: Scalar, a: MatrixPointer<Scalar>, beta: Scalar, c: MutableMatrixPointer<Scalar>,
    triangle: Triangle, mirror: Bool = false
  ) {
    self.alpha = alpha
    self.a = a
    self.beta = beta
    self.c = c
    self.triangle = triangle
    self.mirror = mirror
  }
}

/// C ← α·A·B + β·C with A symmetric m×m (only `triangle` of it is read), B and C m×n.
///
/// A symmetric matrix on the right, C ← α·B·A + β·C, is the transposed call: Cᵀ ← α·A·Bᵀ + β·Cᵀ.
@frozen
public struct Symm<Scalar> {
  public var alpha: Scalar
  public var a: MatrixPointer<Scalar>
  public var triangle: Triangle
  public var b: MatrixPointer<Scalar>
  public var beta: Scalar
  public var c: MutableMatrixPointer<Scalar>

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    alpha: Scalar, a: MatrixPointer<Scalar>, triangle: Triangle, b: MatrixPointer<Scalar>, beta: Scalar,
    c: MutableMatrixPointer<Scalar>
  ) {
    self.alpha = alpha
    self.a = a
    self.triangle = triangle
    self.b = b
    self.beta = beta
    self.c = c
  }
}

/// y ← α·A·x + β·y with A m×n.
@frozen
public struct Gemv<Scalar> {
  public var alpha: Scalar
  public var a: MatrixPointer<Scalar>
  public var x: VectorPointer<Scalar>
  public var beta: Scalar
  public var y: MutableVectorPointer<Scalar>

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    alpha: Scalar, a: MatrixPointer<Scalar>, x: VectorPointer<Scalar>, beta: Scalar,
    y: MutableVectorPointer<Scalar>
  ) {
    self.alpha = alpha
    self.a = a
    self.x = x
    self.beta = beta
    self.y = y
  }
}
