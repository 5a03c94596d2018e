import KernelTemplates

extension NativeBackend {
  @specialized(where S == Float) @specialized(where S == Double)
  public func potrf<S: KernelScalar>(_ call: Potrf<S>, threads: Int) -> PivotOutcome { factor(call, threads) }

  @specialized(where S == Float) @specialized(where S == Double)
  public func potri<S: KernelScalar>(_ call: Potri<S>, threads: Int) { invert(call, threads) }

  @specialized(where S == Float) @specialized(where S == Double)
  public func invertPositiveDefinite<S: KernelScalar>(
    _ call: Potrf<S>, mirror: Bool, threads: Int
  ) -> PivotOutcome { invert(call, mirror, threads) }

  @inline(never)
  private func factor<S: KernelScalar>(_ call: Potrf<S>, _ threads: Int) -> PivotOutcome {
    let (call, blocks) = (call.canonical, PackedBlocks<S>(kernels: S._kernels(instructionSet)))
    var rule = call.rule
    if call.order <= blocks.limit {
      blocks.factor(call.source, to: call.target, damping: call.damping, &rule)
    } else {
      call.loadTarget()
      BlockedCholesky(blocks: blocks, backend: self, threads: threads).factor(call.target, &rule)
    }
    return PivotOutcome(rule)
  }

  @inline(never)
  private func invert<S: KernelScalar>(_ call: Potri<S>, _ threads: Int) {
    let (call, mirror) = (call.canonical, call.mirror)
    let blocks = PackedBlocks<S>(kernels: S._kernels(instructionSet))
    if call.order <= blocks.limit {
      blocks.inverse(ofFactor: call.factor, to: call.target)
    } else {
      copyTriangle(of: call.factor, to: call.target)
      let blocked = BlockedCholesky(blocks: blocks, backend: self, threads: threads)
      blocked.invert(call.target)
      blocked.square(call.target)
    }
    if mirror { self.mirror(call.target, from: .upper) }
  }

  @inline(never)
  private func invert<S: KernelScalar>(_ call: Potrf<S>, _ mirror: Bool, _ threads: Int) -> PivotOutcome {
    let (call, blocks) = (call.canonical, PackedBlocks<S>(kernels: S._kernels(instructionSet)))
    if call.order > blocks.limit {
      let outcome = factor(call, threads)
      if outcome.firstBadPivot == nil {
        invert(
          Potri(factor: call.target.readOnly, target: call.target, triangle: .upper, mirror: mirror), threads)
      }
      return outcome
    }
    var rule = call.rule
    blocks.inverse(of: call.source, to: call.target, damping: call.damping, &rule)
    if mirror && rule.firstBad < 0 { self.mirror(call.target, from: .upper) }
    return PivotOutcome(rule)
  }
}
