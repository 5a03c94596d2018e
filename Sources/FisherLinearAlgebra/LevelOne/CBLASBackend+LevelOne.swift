public import KernelTemplates

extension CBLASBackend {
  @specialized(where S == Float) @specialized(where S == Double)
  public func dot<S: KernelScalar>(_ x: VectorPointer<S>, _ y: VectorPointer<S>) -> S {
    guard x.count > 0, let dot = library.functions(for: S.self).dot, canPass(x), canPass(y)
    else { return fallback.dot(x, y) }
    library.useThreads(1)
    return S(register: dot(x.count, x.lowest, x.stride, y.lowest, y.stride))
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func axpy<S: KernelScalar>(alpha: S, x: VectorPointer<S>, y: MutableVectorPointer<S>) {
    guard x.count > 0, alpha != 0, let axpy = library.functions(for: S.self).axpy,
      canPass(x), canPass(y.readOnly)
    else { return fallback.axpy(alpha: alpha, x: x, y: y) }
    library.useThreads(1)
    axpy(x.count, CBLASNumber(alpha).register, x.lowest, x.stride, y.lowest, y.stride)
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func scal<S: KernelScalar>(alpha: S, x: MutableVectorPointer<S>) {
    guard x.count > 0, alpha != 0, let scal = library.functions(for: S.self).scal, canPass(x.readOnly)
    else { return fallback.scal(alpha: alpha, x: x) }
    library.useThreads(1)
    scal(x.count, CBLASNumber(alpha).register, x.lowest, abs(x.stride))
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func nrm2<S: KernelScalar>(_ x: VectorPointer<S>) -> S {
    guard x.count > 0, let nrm2 = library.functions(for: S.self).nrm2, canPass(x)
    else { return fallback.nrm2(x) }
    library.useThreads(1)
    return S(register: nrm2(x.count, x.lowest, abs(x.stride)))
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func asum<S: KernelScalar>(_ x: VectorPointer<S>) -> S {
    guard x.count > 0, let asum = library.functions(for: S.self).asum, canPass(x)
    else { return fallback.asum(x) }
    library.useThreads(1)
    return S(register: asum(x.count, x.lowest, abs(x.stride)))
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func iamax<S: KernelScalar>(_ x: VectorPointer<S>) -> Int? {
    // A reversed vector would give the last of equals, and what a library does with NaN is not defined: the sum shows
    // whether there is one.
    guard x.count > 0, x.stride > 0, let iamax = library.functions(for: S.self).iamax, canPass(x),
      !asum(x).isNaN
    else { return fallback.iamax(x) }
    library.useThreads(1)
    let index = iamax(x.count, x.base, x.stride)
    // The upper half of the register is undefined if the function returns an int.
    return library.largestInteger == Int.max ? index : Int(UInt32(truncatingIfNeeded: index))
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func copy<S: KernelScalar>(_ source: MatrixPointer<S>, to target: MutableMatrixPointer<S>) {
    fallback.copy(source, to: target)
  }

  /// The interface wants a stride that is not 0, and sizes that its integers hold.
  @inline(__always)
  private func canPass<S>(_ x: VectorPointer<S>) -> Bool {
    x.stride != 0 && fits(x.count | abs(x.stride))
  }
}
