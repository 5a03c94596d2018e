public import KernelTemplates

extension CBLASBackend {
  @specialized(where S == Float) @specialized(where S == Double)
  public func gemm<S: KernelScalar>(_ call: Gemm<S>, threads: Int) {
    let (m, n, k) = (call.c.rows, call.c.columns, call.a.columns)
    guard m > 0, n > 0, k > 0, call.alpha != 0, let gemm = library.functions(for: S.self).gemm,
      let order = CBLASOrder(of: call.c.readOnly),
      let a = CBLASOperand(call.a, in: order), let b = CBLASOperand(call.b, in: order),
      let c = leadingDimension(of: call.c.readOnly, in: order),
      fits(m | n | k | a.leading | b.leading | c)
    else { return fallback.gemm(call, threads: threads) }
    library.useThreads(threads)
    gemm(
      order.rawValue, a.transposition, b.transposition, m, n, k, CBLASNumber(call.alpha).register,
      call.a.base, a.leading, call.b.base, b.leading, CBLASNumber(call.beta).register, call.c.base, c)
    if !call.epilogue.isIdentity {
      // C ← activation(0·A·B + 1·C + bias)
      var rest = call
      rest.alpha = 0
      rest.beta = 1
      fallback.gemm(rest, threads: threads)
    }
  }

  public func gemm<S: KernelScalar>(group: UnsafeBufferPointer<Gemm<S>>, threads: Int) {
    for call in group { gemm(call, threads: threads) }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func gemm<S: KernelScalar>(
    first: Gemm<S>, count: Int, batchStrides: (a: Int, b: Int, c: Int), threads: Int
  ) {
    var call = first
    for i in 0..<count {
      call.a.base = first.a.base + i * batchStrides.a
      call.b.base = first.b.base + i * batchStrides.b
      call.c.base = first.c.base + i * batchStrides.c
      gemm(call, threads: threads)
    }
  }
}
