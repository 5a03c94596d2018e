import FisherLinearAlgebra
import FisherOptimizers

extension MiniBlockFisher {
  /// Up to this order, separate blocks are inverted side by side; above, one after the other by blocked sweeps.
  static var largestSideBySide: Int { 64 }

  /// C ← (Ĝ + λ·I)⁻¹ for all blocks of all groups.
  ///
  /// A block that is not positive definite in working precision keeps its former inverse, at first I/λ, and is counted.
  func refreshInverses<S: KernelScalar>(of groups: [BlockGroup], _ step: inout Step<S>) {
    let damping = Damping.absolute(S(self.damping))
    var sideBySide: [(group: BlockGroup, G: InterleavedBatch<S>)] = []
    for group in groups where group.form != .diagonal {
      let G = step.latest("G", of: group.owner) ?? group.zeroStatistics()
      switch group.form {
      case .diagonal: break
      case .rankOne: step.set("v", of: group.owner, to: G)
      case .shared: invert(G, of: group, damping, &step)
      case .separate:
        let blocks = group.blocks(G)
        if group.columns <= Self.largestSideBySide {
          sideBySide.append((group, blocks))
        } else {
          invertOneByOne(blocks, of: group, damping, &step)
        }
      }
    }
    var inverses: [InterleavedBatch<S>] = []
    for (group, _) in sideBySide {
      inverses.append(group.blocks(overwriting: step.memory(for: "C", of: group)))
    }
    let outcomes = InterleavedBatch.assignInverses(
      to: &inverses, of: sideBySide.map(\.G), damping: damping, on: step.backend, threads: step.threads)
    for (i, (group, _)) in sideBySide.enumerated() {
      store(inverses[i], failed: outcomes[i].failures.map(\.matrix), group, &step)
    }
  }

  /// The one block of a dense layer.
  private func invert<S: KernelScalar>(
    _ G: Matrix<S>, of group: BlockGroup, _ damping: Damping<S>, _ step: inout Step<S>
  ) {
    var C = step.memory(for: "C", of: group)
    do {
      try C.assignInverse(
        ofPositiveDefinite: G, damping: damping, on: step.backend, threads: step.threads)
      step.set("C", of: group.owner, to: C)
    } catch {
      step.set("C", of: group.owner, to: step.tensor("C", of: group.owner) ?? first(group.columns))
      step.count("inverses kept")
    }
  }

  private func invertOneByOne<S: KernelScalar>(
    _ G: InterleavedBatch<S>, of group: BlockGroup, _ damping: Damping<S>, _ step: inout Step<S>
  ) {
    var blocks = G.stack(on: step.backend, threads: step.threads)
    let failed = (0..<blocks.count).filter { i in
      (try? blocks[i].invertPositiveDefinite(damping: damping, on: step.backend, threads: step.threads))
        == nil
    }
    let C = InterleavedBatch(blocks, storage: .symmetric, on: step.backend, threads: step.threads)
    store(C, failed: failed, group, &step)
  }

  private func store<S: KernelScalar>(
    _ inverses: InterleavedBatch<S>, failed: [Int], _ group: BlockGroup, _ step: inout Step<S>
  ) {
    var inverses = inverses
    if !failed.isEmpty {
      if let former = step.tensor("C", of: group.owner) {
        let blocks = group.blocks(former)
        for i in failed { inverses[i] = blocks[i] }
      } else {
        let block: Matrix<S> = first(group.columns)
        for i in failed { inverses[i] = block }
      }
      step.count("inverses kept", failed.count)
    }
    step.set("C", of: group.owner, to: inverses.elements)
  }

  /// I/λ
  private func first<S: KernelScalar>(_ order: Int) -> Matrix<S> {
    let inverse = S(1 / damping)
    return Matrix(rows: order, columns: order) { $0 == $1 ? inverse : 0 }
  }

  /// P = C·M, row by row of the vectors; single elements are divided by Ĝ + λ as it is now.
  func direction<S: KernelScalar>(
    _ M: Matrix<S>, of group: BlockGroup, _ step: inout Step<S>
  ) throws(StepRefusal) -> Matrix<S> {
    let λ = S(damping)
    let slot = group.form == .diagonal ? "G" : group.form == .rankOne ? "v" : "C"
    // Missing after a resume with other periods, or from the state of another run.
    guard let C = step.latest(slot, of: group.owner) else {
      throw .failed(
        optimizer: Self.record.name, place: group.owner, reason: "its state has no \(slot)")
    }
    let (backend, threads) = (step.backend, step.threads)
    switch group.form {
    case .diagonal: return quotients(M, C, λ)
    case .rankOne: return rankOneProducts(M, C, λ)
    case .separate, .shared:
      return step.temporary("P", of: group.owner, rows: M.rows, columns: M.columns) { P in
        if group.form == .shared {
          gemm(M, C, into: &P, on: backend, threads: threads)
        } else {
          group.blocks(C).multiply(M, into: &P, on: backend, threads: threads)
        }
      }
    }
  }
}

extension Step {
  /// Undefined elements for the blocks of a group.
  mutating func memory(for slot: String, of group: BlockGroup) -> Matrix<Scalar> {
    let (rows, columns) = group.statisticsShape(Scalar.self)
    return memory(for: slot, of: group.owner, rows: rows, columns: columns)
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
