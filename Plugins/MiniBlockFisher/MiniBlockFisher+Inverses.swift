import FisherLinearAlgebra
import FisherOptimizers

extension MiniBlockFisher {
  /// Up to this order, blocks are inverted one in each lane of a vector; above, one after the other by blocked sweeps.
  static var largestInLanes: Int { 64 }

  /// C ← (Ĝ + λ·I)⁻¹ for all blocks of all groups.
  ///
  /// A block that is not positive definite in working precision keeps its former inverse, at first I/λ, and is counted.
  @specialized(where S == Float) @specialized(where S == Double)
  func refreshInverses<S: KernelScalar>(of groups: [BlockGroup], _ step: inout Step<S>) {
    let damping = Damping.absolute(S(settings.number("damping")))
    let statistics = groups.map { step.latest("G", of: $0.owner) ?? $0.zeroStatistics() }
    for (group, G) in zip(groups, statistics) where group.form == .rankOne {
      step.set("v", of: group.owner, to: G)
    }
    let inverted = groups.indices.filter { groups[$0].form == .separate || groups[$0].form == .shared }
    let inLanes = inverted.filter { groups[$0].columns <= Self.largestInLanes }
    var stacks = inLanes.map { groups[$0].stack(statistics[$0]) }
    let outcomes = invertPositiveDefinite(
      &stacks, damping: damping, on: step.backend, threads: step.threads)
    for (position, i) in inLanes.enumerated() {
      store(stacks[position], outcomes[position].failures.map(\.matrix), groups[i], &step)
    }
    for i in inverted where groups[i].columns > Self.largestInLanes {
      var stack = groups[i].stack(statistics[i])
      var failed: [Int] = []
      for block in 0..<stack.count {
        let outcome = stack[block].invertPositiveDefinite(
          damping: damping, on: step.backend, threads: step.threads)
        if case .failure = outcome { failed.append(block) }
      }
      store(stack, failed, groups[i], &step)
    }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  private func store<S: KernelScalar>(
    _ inverses: MatrixStack<S>, _ failed: [Int], _ group: BlockGroup, _ step: inout Step<S>
  ) {
    var inverses = inverses
    if !failed.isEmpty {
      let former = step.tensor("C", of: group.owner).map(group.stack)
      let first = S(1 / settings.number("damping"))
      for block in failed {
        inverses[block] =
          former?[block]
          ?? Matrix(rows: group.columns, columns: group.columns) { $0 == $1 ? first : 0 }
      }
      step.count("inverses kept", failed.count)
    }
    step.set("C", of: group.owner, to: inverses.stacked)
  }

  /// P = C·M, row by row of the vectors; single elements are divided by Ĝ + λ as it is now.
  @specialized(where S == Float) @specialized(where S == Double)
  func direction<S: KernelScalar>(
    _ M: Matrix<S>, of group: BlockGroup, _ step: borrowing Step<S>
  ) throws(StepRefusal) -> Matrix<S> {
    let λ = S(settings.number("damping"))
    let slot = group.form == .diagonal ? "G" : group.form == .rankOne ? "v" : "C"
    // Missing after a resume with other periods, or from the state of another run.
    guard let blocks = step.latest(slot, of: group.owner) else {
      throw .failed(
        optimizer: Self.record.name, place: group.owner, reason: "its state has no \(slot)")
    }
    switch group.form {
    case .diagonal:
      return quotients(M, blocks, λ)
    case .rankOne:
      return rankOneProducts(M, blocks, λ)
    case .separate:
      return SmallBlocks(count: group.rows, order: group.columns)
        .products(of: blocks, M, threads: step.threads)
    case .shared:
      var P = Matrix<S>(rows: M.rows, columns: M.columns)
      gemm(M, blocks, into: &P, on: step.backend, threads: step.threads)
      return P
    }
  }
}

extension BlockGroup {
  /// The blocks of a matrix in which they lie one below the other.
  func stack<S: KernelScalar>(_ blocks: Matrix<S>) -> MatrixStack<S> {
    MatrixStack(splitting: blocks, count: form == .separate ? rows : 1)
  }
}

/// M/(G + λ), element by element.
@specialized(where S == Float) @specialized(where S == Double)
private func quotients<S: KernelScalar>(_ M: Matrix<S>, _ G: Matrix<S>, _ λ: S) -> Matrix<S> {
  var P = M.compacted()
  G.compacted().withSpan { G in
    P.withMutableSpan { P in
      for i in P.indices { P[i] = P[i] / (G[i] + λ) }
    }
  }
  return P
}

/// (v·vᵀ + λ·I)⁻¹·m = (m − v·(v·m)/(λ + v·v))/λ for every row (Sherman & Morrison 1950).
@specialized(where S == Float) @specialized(where S == Double)
private func rankOneProducts<S: KernelScalar>(_ M: Matrix<S>, _ v: Matrix<S>, _ λ: S) -> Matrix<S> {
  var P = M.compacted()
  let n = M.columns
  v.compacted().withSpan { v in
    P.withMutableSpan { P in
      for i in 0..<M.rows {
        var (vm, vv): (S, S) = (0, 0)
        for j in i * n..<(i + 1) * n {
          vm += v[j] * P[j]
          vv += v[j] * v[j]
        }
        let factor = vm / (λ + vv)
        for j in i * n..<(i + 1) * n { P[j] = (P[j] - factor * v[j]) / λ }
      }
    }
  }
  return P
}
