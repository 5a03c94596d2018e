import KernelTemplates

extension NativeBackend {
  @specialized(where S == Float) @specialized(where S == Double)
  public func trsm<S: KernelScalar>(_ call: Trsm<S>, threads: Int) { run(.solve, call, threads) }

  @specialized(where S == Float) @specialized(where S == Double)
  public func trmm<S: KernelScalar>(_ call: Trmm<S>, threads: Int) { run(.multiply, call, threads) }

  @inline(never)
  private func run<S: KernelScalar>(_ verb: TriangularVerb, _ call: Triangular<S>, _ threads: Int) {
    if call.b.rows == 0 || call.b.columns == 0 { return }
    if call.alpha == 0 { return call.clear(on: self) }
    TriangularPanels(
      call: call.canonical, verb: verb, kernels: S._kernels(instructionSet), threads: threads
    ).run(on: self)
  }
}
