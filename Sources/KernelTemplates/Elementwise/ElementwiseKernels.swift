/// The entry points for functions of single elements and of rows.
public protocol ElementwiseKernels<Scalar> {
  associatedtype Scalar

  /// y ← f(x). y may be x.
  static func map(
    _ function: ElementwiseFunction, _ x: UnsafePointer<Scalar>, to y: UnsafeMutablePointer<Scalar>,
    count: Int)
  /// dx ← dy·f′(x), or dx ← dx + dy·f′(x), with y = f(x). dx may be dy.
  static func multiplyDerivative(
    _ function: ElementwiseFunction, x: UnsafePointer<Scalar>, y: UnsafePointer<Scalar>,
    dy: UnsafePointer<Scalar>, to dx: UnsafeMutablePointer<Scalar>, adds: Bool, count: Int)
  /// y ← softmax(x) row by row, and log Σ exp(x). y may be x. Columns are contiguous.
  static func softmax(
    _ x: MatrixPointer<Scalar>, to y: MutableMatrixPointer<Scalar>, logSums: UnsafeMutablePointer<Scalar>?)
}

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  @inlinable
  public static func map(
    _ function: ElementwiseFunction, _ x: UnsafePointer<Scalar>, to y: UnsafeMutablePointer<Scalar>,
    count: Int
  ) {
    switch function {
    case .exp: apply(x, y, count) { x in exponential(x, minus: zero) }
    case .log: apply(x, y, count) { x in logarithm(x) }
    case .tanh: apply(x, y, count) { x in hyperbolicTangent(x) }
    case .sigmoid: apply(x, y, count) { x in sigmoid(x).value }
    case .gelu: apply(x, y, count) { x in gelu(x) }
    case .silu: apply(x, y, count) { x in silu(x) }
    }
  }

  @inlinable
  public static func multiplyDerivative(
    _ function: ElementwiseFunction, x: UnsafePointer<Scalar>, y: UnsafePointer<Scalar>,
    dy: UnsafePointer<Scalar>, to dx: UnsafeMutablePointer<Scalar>, adds: Bool, count: Int
  ) {
    let targets = (dy, dx, adds, count)
    switch function {
    case .exp: pull(y, targets) { y in y }
    case .log: pull(x, targets) { x in divide(one, x) }
    case .tanh: pull(y, targets) { y in (one - y) * (one + y) }
    case .sigmoid: pull(y, targets) { y in y * (one - y) }
    case .gelu: pull(x, targets) { x in geluDerivative(x) }
    case .silu:
      pull(x, targets) { x in
        let s = sigmoid(x)
        return multiplyAdd(x * s.value, s.complement, s.value)
      }
    }
  }

  /// y ← f(x), a vector at a time.
  @inlinable @inline(__always)
  static func apply(
    _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>, _ count: Int, _ f: (Vector) -> Vector
  ) {
    var i = 0
    while i &+ lanes <= count {
      store(f(load(x + i)), to: y + i)
      i &+= lanes
    }
    if i == count { return }
    let rest = mask(first: count &- i)
    store(f(load(x + i, rest)), to: y + i, rest)
  }

  /// dx ← dy·f(v) or dx + dy·f(v), a vector at a time.
  @inlinable @inline(__always)
  static func pull(
    _ v: UnsafePointer<Scalar>,
    _ targets: (dy: UnsafePointer<Scalar>, dx: UnsafeMutablePointer<Scalar>, adds: Bool, count: Int),
    _ f: (Vector) -> Vector
  ) {
    let (dy, dx, adds, count) = targets
    var i = 0
    while i &+ lanes <= count {
      let term = load(dy + i) * f(load(v + i))
      store(adds ? load(UnsafePointer(dx + i)) + term : term, to: dx + i)
      i &+= lanes
    }
    if i == count { return }
    let rest = mask(first: count &- i)
    let term = load(dy + i, rest) * f(load(v + i, rest))
    store(adds ? load(UnsafePointer(dx + i), rest) + term : term, to: dx + i, rest)
  }

  /// A constant of `Float`'s algorithm and of `Double`'s.
  @inlinable @inline(__always)
  static func constant(_ float: Scalar, _ double: Scalar) -> Vector {
    broadcast(MemoryLayout<Scalar>.size == 4 ? float : double)
  }
}

/// Horner's rule, the highest coefficient first.
@frozen
public struct Horner<Unit: VectorUnit>
where Unit.Vector: SIMD, Unit.Vector.Scalar == Unit.Scalar, Unit.Scalar: BinaryFloatingPoint & SIMDScalar {
  public var sum: Unit.Vector
  public var x: Unit.Vector

  @inlinable @inline(__always)
  public init(_ x: Unit.Vector, _ highest: Unit.Scalar) {
    self.x = x
    sum = Unit.broadcast(highest)
  }

  /// sum·x + c
  @inlinable @inline(__always)
  public func callAsFunction(_ c: Unit.Scalar) -> Horner {
    var next = self
    next.sum = Unit.multiplyAdd(sum, x, Unit.broadcast(c))
    return next
  }
}
