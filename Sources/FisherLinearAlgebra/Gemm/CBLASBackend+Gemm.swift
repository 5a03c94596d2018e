public import KernelTemplates

extension CBLASBackend {
  @specialized(where S == Float) @specialized(where S == Double)
  public func gemm<S: KernelScalar>(_ call: Gemm<S>, threads: Int) { multiply(call, threads) }

  /// Apart, because a generic function looks up the metadata of its local values before it looks whether it has been
  /// specialised.
  @inline(never)
  private func multiply<S: KernelScalar>(_ call: Gemm<S>, _ threads: Int) {
    let (m, n, k) = (call.c.rows, call.c.columns, call.a.columns)
    guard m > 0, n > 0, k > 0, call.alpha != 0, let gemm = library.functions(for: S.self).gemm,
      let c = CBLASTarget(call.c.readOnly),
      let a = CBLASOperand(call.a, in: c.order), let b = CBLASOperand(call.b, in: c.order),
      fits(m | n | k), a.leading | b.leading | c.leading <= Self.farthestLines
    else { return fallback.gemm(call, threads: threads) }
    library.useThreads(threads)
    gemm(
      c.order.rawValue, a.transposition, b.transposition, m, n, k, CBLASNumber(call.alpha).register,
      call.a.base, a.leading, call.b.base, b.leading, CBLASNumber(call.beta).register, call.c.base, c.leading)
    if !call.epilogue.isIdentity {
      // C ← activation(0·A·B + 1·C + bias)
      var rest = call
      rest.alpha = 0
      rest.beta = 1
      fallback.gemm(rest, threads: threads)
    }
  }

  /// The largest distance between lines that is trusted to a library.
  ///
  /// For small products on AVX-512, OpenBLAS 0.3.21 gathers from 16 lines at once with offsets of 32 bits, and reads
  /// elsewhere when they exceed 2³¹.
  private static var farthestLines: Int { 1 << 26 }

  @specialized(where S == Float) @specialized(where S == Double)
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
