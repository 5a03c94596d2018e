public import FisherRuntime

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
  /// y ← softmax(x) row by row, and Σ exp(x). y may be x. Columns are contiguous.
  static func softmax(
    _ x: MatrixPointer<Scalar>, to y: MutableMatrixPointer<Scalar>,
    sums: UnsafeMutablePointer<ExponentialSum<Scalar>>?)
  /// δ ← δ where y > 0, slope·δ elsewhere, and the sums of its columns: see RectifierGradient.swift.
  static func rectifyGradient(
    _ δ: MutableMatrixPointer<Scalar>, output y: MatrixPointer<Scalar>, slope: Scalar,
    sums: UnsafeMutablePointer<Scalar>?)
  /// x ← scale·(normal numbers of a range of the stream): see RandomNumbers.swift.
  static func normals(
    of stream: RandomStream, _ range: Range<Int>, times scale: Double, to x: UnsafeMutablePointer<Scalar>)
}

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  @_alwaysEmitIntoClient
  public static func map(
    _ function: ElementwiseFunction, _ x: UnsafePointer<Scalar>, to y: UnsafeMutablePointer<Scalar>,
    count: Int
  ) {
    switch function {
    case .exp: apply(Exponential<Self>(), x, y, count)
    case .log: apply(Logarithm<Self>(), x, y, count)
    case .tanh: apply(HyperbolicTangent<Self>(), x, y, count)
    case .sigmoid: apply(Sigmoid<Self>(), x, y, count)
    case .gelu: apply(Gelu<Self>(), x, y, count)
    case .silu: apply(Silu<Self>(), x, y, count)
    }
  }

  @_alwaysEmitIntoClient
  public static func multiplyDerivative(
    _ function: ElementwiseFunction, x: UnsafePointer<Scalar>, y: UnsafePointer<Scalar>,
    dy: UnsafePointer<Scalar>, to dx: UnsafeMutablePointer<Scalar>, adds: Bool, count: Int
  ) {
    switch function {
    case .exp: pull(ExponentialSlope<Self>(), y, dy, dx, adds, count)
    case .log: pull(LogarithmSlope<Self>(), x, dy, dx, adds, count)
    case .tanh: pull(HyperbolicTangentSlope<Self>(), y, dy, dx, adds, count)
    case .sigmoid: pull(SigmoidSlope<Self>(), y, dy, dx, adds, count)
    case .gelu: pull(GeluSlope<Self>(), x, dy, dx, adds, count)
    case .silu: pull(SiluSlope<Self>(), x, dy, dx, adds, count)
    }
  }

  /// y ← f(x), a vector at a time.
  @_alwaysEmitIntoClient @inline(never)
  public static func apply<F: LaneFunction>(
    _ f: F, _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>, _ count: Int
  ) where F.Unit == Self {
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
  @_alwaysEmitIntoClient @inline(never)
  public static func pull<F: LaneFunction>(
    _ f: F, _ v: UnsafePointer<Scalar>, _ dy: UnsafePointer<Scalar>, _ dx: UnsafeMutablePointer<Scalar>,
    _ adds: Bool, _ count: Int
  ) where F.Unit == Self {
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
  @_alwaysEmitIntoClient @inline(__always)
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

  @_alwaysEmitIntoClient @inline(__always)
  public init(_ x: Unit.Vector, _ highest: Unit.Scalar) {
    self.x = x
    sum = Unit.broadcast(highest)
  }

  /// sum·x + c
  @_alwaysEmitIntoClient @inline(__always)
  public func callAsFunction(_ c: Unit.Scalar) -> Horner {
    var next = self
    next.sum = Unit.multiplyAdd(sum, x, Unit.broadcast(c))
    return next
  }
}
