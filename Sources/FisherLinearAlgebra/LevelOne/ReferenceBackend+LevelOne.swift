// Vectors: dot, axpy, scal, nrm2, asum, iamax.

import FisherRuntime
public import KernelTemplates

extension ReferenceBackend {
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func dot<S: KernelScalar>(_ x: VectorPointer<S>, _ y: VectorPointer<S>) -> S {
    var sum = 0.0
    for i in 0..<x.count { sum += Double(x[i]) * Double(y[i]) }
    return S(sum)
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  public func axpy<S: KernelScalar>(alpha: S, x: VectorPointer<S>, y: MutableVectorPointer<S>) {
    guard alpha != 0 else { return }
    for i in 0..<y.count { y[i] = S(Double(alpha) * Double(x[i]) + Double(y[i])) }
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  public func scal<S: KernelScalar>(alpha: S, x: MutableVectorPointer<S>) {
    for i in 0..<x.count { x[i] = alpha == 0 ? 0 : S(Double(alpha) * Double(x[i])) }
  }

  /// Divides by a power of two near the largest element first, which is exact and keeps the squares in range.
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func nrm2<S: KernelScalar>(_ x: VectorPointer<S>) -> S {
    guard let largest = iamax(x).map({ Double(x[$0]).magnitude }) else { return 0 }
    guard largest > 0, largest.isFinite else { return S(largest) }
    let scale = largest.binade
    var sum = 0.0
    for i in 0..<x.count {
      let scaled = Double(x[i]) / scale
      sum += scaled * scaled
    }
    return S(scale * sum.squareRoot())
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  public func asum<S: KernelScalar>(_ x: VectorPointer<S>) -> S {
    var sum = 0.0
    for i in 0..<x.count { sum += Double(x[i].magnitude) }
    return S(sum)
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  public func iamax<S: KernelScalar>(_ x: VectorPointer<S>) -> Int? {
    guard x.count > 0 else { return nil }
    var best = 0
    for i in 0..<x.count {
      if x[i].isNaN { return i }
      if x[i].magnitude > x[best].magnitude { best = i }
    }
    return best
  }
}
