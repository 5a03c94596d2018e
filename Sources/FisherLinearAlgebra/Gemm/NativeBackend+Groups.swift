import FisherRuntime
public import KernelTemplates

extension NativeBackend {
  @specialized(where S == Float) @specialized(where S == Double)
  public func gemm<S: KernelScalar>(group: UnsafeBufferPointer<Gemm<S>>, threads: Int) {
    run(count: group.count, threads: threads) { group[$0] }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func gemm<S: KernelScalar>(
    first: Gemm<S>, count: Int, batchStrides: (a: Int, b: Int, c: Int), threads: Int
  ) {
    run(count: count, threads: threads) { i in
      var call = first
      call.a.base += i * batchStrides.a
      call.b.base += i * batchStrides.b
      call.c.base += i * batchStrides.c
      return call
    }
  }

  /// Products large enough to keep all threads busy run one after another with all of them; the others are handed
  /// out to threads whole, in stretches of about equal work.
  private func run<S: KernelScalar>(count: Int, threads: Int, _ call: (Int) -> Gemm<S>) {
    let kernels = S._kernels(instructionSet)
    let allowed = Parallel.allowance(threads)
    if allowed <= 1 {
      for i in 0..<count { Product(call(i)).run(kernels, threads: 1) }
      return
    }
    var total = 0.0
    for i in 0..<count { total += Product(call(i)).flops }
    let large = total / Double(2 * allowed)
    let isLarge = { (product: Product<S>) in product.flops > large && product.microseconds > 64 }
    var small = 0.0
    for i in 0..<count {
      let product = Product(call(i))
      if isLarge(product) { product.run(kernels, threads: allowed) } else { small += product.flops + 1000 }
    }
    // A stretch starts where the running total of work passes a multiple of the share.
    let stretches = small < 1.5e6 ? 1 : min(count, 8 * allowed)
    Parallel.perform(stretches, threads: allowed) { stretch in
      let from = small * Double(stretch) / Double(stretches)
      let to = stretch == stretches - 1 ? .infinity : small * Double(stretch + 1) / Double(stretches)
      var work = 0.0
      for i in 0..<count where work < to {
        let product = Product(call(i))
        if isLarge(product) { continue }
        if work >= from { product.run(kernels, threads: 1) }
        work += product.flops + 1000
      }
    }
  }
}
