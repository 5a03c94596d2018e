public import KernelTemplates

extension NativeBackend {
  @specialized(where S == Float) @specialized(where S == Double)
  public func dot<S: KernelScalar>(_ x: VectorPointer<S>, _ y: VectorPointer<S>) -> S {
    S._kernels(instructionSet).sum(.products, x, y)
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func axpy<S: KernelScalar>(alpha: S, x: VectorPointer<S>, y: MutableVectorPointer<S>) {
    if alpha != 0 { S._kernels(instructionSet).axpy(alpha, x, y) }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func scal<S: KernelScalar>(alpha: S, x: MutableVectorPointer<S>) {
    S._kernels(instructionSet).scal(alpha, x)
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func asum<S: KernelScalar>(_ x: VectorPointer<S>) -> S {
    S._kernels(instructionSet).sum(.magnitudes, x, x)
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func iamax<S: KernelScalar>(_ x: VectorPointer<S>) -> Int? {
    let index = S._kernels(instructionSet).iamax(x)
    return index < 0 ? nil : index
  }

  /// The plain sum of squares, unless it left the range in which it is accurate; then once more with the elements
  /// scaled by a power of two that brings the largest one near 1.
  @specialized(where S == Float) @specialized(where S == Double)
  public func nrm2<S: KernelScalar>(_ x: VectorPointer<S>) -> S {
    let squares = dot(x, x)
    // Squares that underflowed are below u² of this bound together, for any count that fits memory.
    let least = S.leastNormalMagnitude / (S.ulpOfOne * S.ulpOfOne)
    if squares >= least && squares.isFinite { return squares.squareRoot() }
    guard let index = iamax(x), x[index] != 0 else { return 0 }
    let largest = abs(x[index])
    if !largest.isFinite { return largest }
    let unit = S(sign: .plus, exponent: largest.exponent, significand: 1)
    var sum: S = 0
    // 1 / unit may overflow for subnormal numbers: divide, which is exact for a power of two.
    for i in 0..<x.count {
      let scaled = x[i] / unit
      sum += scaled * scaled
    }
    return unit * sum.squareRoot()
  }
}
