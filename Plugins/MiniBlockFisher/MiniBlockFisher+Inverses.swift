import FisherLinearAlgebra
import FisherOptimizers
import FisherRuntime

extension MiniBlockFisher {
  /// Up to this order, blocks are inverted one in each lane of a vector; above, one after the other by blocked sweeps.
  static var largestInLanes: Int { 64 }

  /// C ← (Ĝ + λ·I)⁻¹ for all blocks of all groups.
  ///
  /// A block that is not positive definite in working precision keeps its former inverse, at first I/λ, and is counted.
  func refreshInverses<S: KernelScalar>(of groups: [BlockGroup], _ step: inout Step<S>) {
    let damping = Damping.absolute(S(damping))
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
    let large = inverted.filter { groups[$0].columns > Self.largestInLanes }
    invertLarge(large.map { groups[$0] }, large.map { statistics[$0] }, &step)
  }

  /// Block by block; several at a time, if there are enough for all threads.
  private func invertLarge<S: KernelScalar>(
    _ groups: [BlockGroup], _ statistics: [Matrix<S>], _ step: inout Step<S>
  ) {
    let (λ, backend, threads) = (S(damping), step.backend, step.threads)
    var inverses: [Matrix<S>] = []
    for (group, G) in zip(groups, statistics) {
      inverses.append(step.memory(for: "C", of: group.owner, rows: G.rows, columns: G.columns))
    }
    // Lower triangles are upper ones of the transposed blocks.
    var calls: [(group: Int, block: Int, call: Potrf<S>)] = []
    for (g, group) in groups.enumerated() {
      let n = group.columns
      let target = inverses[g].withMutablePointer(discarding: true) { $0 }
      let source = statistics[g].withPointer { $0 }
      for i in 0..<target.rows / n {
        let call = Potrf(
          source: source.block(i * n, 0, rows: n, columns: n).transposed,
          target: target.block(i * n, 0, rows: n, columns: n), triangle: .upper, absolute: λ)
        calls.append((g, i, call))
      }
    }
    // The most expensive ones first.
    calls.sort {
      (groups[$1.group].columns, $0.group, $0.block) < (groups[$0.group].columns, $1.group, $1.block)
    }
    var isBad = [Bool](repeating: false, count: calls.count)
    isBad.withUnsafeMutableBufferPointer { isBad in
      // Each task writes its own block and its own outcome; within a task everything runs on its thread.
      nonisolated(unsafe) let (isBad, calls) = (isBad, calls)
      Parallel.perform(calls.count, threads: calls.count < threads ? 1 : threads) { i in
        let outcome = backend.invertPositiveDefinite(calls[i].call, mirror: true, threads: threads)
        isBad[i] = outcome.firstBadPivot != nil
      }
    }
    withExtendedLifetime((inverses, statistics)) {}
    for (g, group) in groups.enumerated() {
      let failed = calls.indices.filter { calls[$0].group == g && isBad[$0] }.map { calls[$0].block }
      store(group.stack(inverses[g]), failed, group, &step)
    }
  }

  private func store<S: KernelScalar>(
    _ inverses: MatrixStack<S>, _ failed: [Int], _ group: BlockGroup, _ step: inout Step<S>
  ) {
    var inverses = inverses
    if !failed.isEmpty {
      let former = step.tensor("C", of: group.owner).map(group.stack)
      let first = S(1 / damping)
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
  func direction<S: KernelScalar>(
    _ M: Matrix<S>, of group: BlockGroup, _ step: inout Step<S>
  ) throws(StepRefusal) -> Matrix<S> {
    let λ = S(damping)
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
      let (backend, threads) = (step.backend, step.threads)
      return step.temporary("P", of: group.owner, rows: M.rows, columns: M.columns) { P in
        gemm(M, blocks, into: &P, on: backend, threads: threads)
      }
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
