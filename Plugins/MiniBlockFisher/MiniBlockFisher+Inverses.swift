import FisherLinearAlgebra
import FisherOptimizers

extension MiniBlockFisher {
  /// Up to this order, separate blocks are inverted side by side; above, one after the other by blocked sweeps.
  static var largestSideBySide: Int { 64 }

  /// C ← (Ĝ + λ·I)⁻¹ for all blocks of all groups, each group by one rank.
  ///
  /// A block that is not positive definite in working precision keeps its former inverse, at first I/λ, and is counted.
  func refreshInverses<S: KernelScalar>(of groups: [BlockGroup], _ step: inout Step<S>) throws(StepRefusal) {
    var due: [(group: BlockGroup, G: Matrix<S>, former: Matrix<S>?)] = []
    var inverses: [[Matrix<S>]] = []
    for group in groups where group.form != .diagonal {
      let G = step.latest("G", of: group.owner) ?? group.zeroStatistics()
      if group.form == .rankOne {
        step.set("v", of: group.owner, to: G)
      } else {
        due.append((group, G, step.tensor("C", of: group.owner)))
        inverses.append([step.memory(for: "C", of: group)])
      }
    }
    let costs = due.map { group, _, _ in
      let n = Double(group.columns)
      return (group.form == .shared ? 1 : Double(group.rows)) * n * n * n
    }
    let backend = step.backend
    let failures = try step.fill(&inverses, costs: costs) { i, inverses, threads in
      let (group, G, former) = due[i]
      if group.form == .shared { return invert(G, into: &inverses[0], former, on: backend, threads: threads) }
      // Out of the list for that time, so that nobody shares it.
      let memory = inverses[0]
      inverses[0] = Matrix(rows: 0, columns: 0)
      var (C, failed) = inverse(of: G, of: group, overwriting: memory, on: backend, threads: threads)
      for block in failed { C[block] = former.map { group.blocks($0)[block] } ?? first(group.columns) }
      inverses[0] = C.elements
      return failed.count
    }
    for (i, (group, _, _)) in due.enumerated() {
      step.set("C", of: group.owner, to: inverses[i][0])
      if failures[i] > 0 { step.count("inverses kept", failures[i]) }
    }
  }

  /// The one block of a dense layer.
  ///
  /// - Returns: how many failed.
  private func invert<S: KernelScalar>(
    _ G: Matrix<S>, into C: inout Matrix<S>, _ former: Matrix<S>?, on backend: any Backend, threads: Int
  ) -> Int {
    do {
      try C.assignInverse(
        ofPositiveDefinite: G, damping: .absolute(S(damping)), on: backend, threads: threads)
      return 0
    } catch {
      C = former ?? first(G.rows)
      return 1
    }
  }

  /// The blocks of a group, side by side or one after the other; and which of them failed.
  private func inverse<S: KernelScalar>(
    of G: Matrix<S>, of group: BlockGroup, overwriting memory: consuming Matrix<S>, on backend: any Backend,
    threads: Int
  ) -> (InterleavedBatch<S>, failed: [Int]) {
    let damping = Damping.absolute(S(self.damping))
    if group.columns <= Self.largestSideBySide {
      var inverses = [group.blocks(overwriting: memory)]
      let outcomes = InterleavedBatch.assignInverses(
        to: &inverses, of: [group.blocks(G)], damping: damping, on: backend, threads: threads)
      return (inverses[0], outcomes[0].failures.map(\.matrix))
    }
    var blocks = group.blocks(G).stack(on: backend, threads: threads)
    let failed = (0..<blocks.count).filter { i in
      (try? blocks[i].invertPositiveDefinite(damping: damping, on: backend, threads: threads)) == nil
    }
    return (InterleavedBatch(blocks, storage: .symmetric, on: backend, threads: threads), failed)
  }

  /// I/λ
  private func first<S: KernelScalar>(_ order: Int) -> Matrix<S> {
    let inverse = S(1 / damping)
    return Matrix(rows: order, columns: order) { $0 == $1 ? inverse : 0 }
  }

  /// P = C·M of every group, row by row of the vectors; single elements are divided by Ĝ + λ as it is now.
  func directions<S: KernelScalar>(
    _ momenta: [Matrix<S>], of groups: [BlockGroup], _ step: inout Step<S>
  ) throws(StepRefusal) -> [Matrix<S>] {
    let (λ, backend) = (S(damping), step.backend)
    var directions = momenta
    var products: [(place: Int, task: Direction<S>)] = []
    for (i, (group, M)) in zip(groups, momenta).enumerated() {
      let slot = group.form == .diagonal ? "G" : group.form == .rankOne ? "v" : "C"
      // Missing after a resume with other periods, or from the state of another run.
      guard let C = step.latest(slot, of: group.owner) else {
        throw .failed(
          optimizer: Self.record.name, place: group.owner, reason: "its state has no \(slot)")
      }
      switch group.form {
      case .diagonal: directions[i] = quotients(M, C, λ)
      case .rankOne: directions[i] = rankOneProducts(M, C, λ)
      case .separate, .shared:
        let flops = 2 * Double(M.count) * Double(group.columns)
        let task = Direction<S>(of: group.owner, rows: M.rows, columns: M.columns, flops: flops) {
          P, threads in
          if group.form == .shared {
            gemm(M, C, into: &P, on: backend, threads: threads)
          } else {
            group.blocks(C).multiply(M, into: &P, on: backend, threads: threads)
          }
        }
        products.append((i, task))
      }
    }
    for (product, P) in zip(products, try step.directions("P", products.map(\.task))) {
      directions[product.place] = P
    }
    return directions
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
