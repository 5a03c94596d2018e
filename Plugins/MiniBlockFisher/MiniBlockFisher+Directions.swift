import FisherLinearAlgebra
import FisherOptimizers

extension MiniBlockFisher {
  /// C ← (Ĝ + λ·I)⁻¹ for all blocks of all groups.
  ///
  /// A block that is not positive definite in working precision keeps its former inverse, at first I/λ, and is counted.
  func refreshInverses<S: KernelScalar>(of groups: [BlockGroup], _ step: inout Step<S>) throws(StepRefusal) {
    var factors: [DampedFactor<S>] = []
    var blocks: [DampedBlocks<S>] = []
    for group in groups where group.form != .diagonal {
      let (slot, owner) = (group.slot, group.owner)
      let G = step.latest("G", of: owner) ?? group.zeros()
      switch group.form {
      case .separate:
        blocks.append(DampedBlocks(group.blocks(G), damping: damping, as: slot, of: owner))
      case .shared:
        factors.append(DampedFactor(G, damping: damping, fallback: 1 / damping, as: slot, of: owner))
      case .rankOne, .diagonal:
        // v, of which nothing has to be inverted.
        step.set(slot, of: owner, to: G)
      }
    }
    try step.invert(factors, blocks)
  }

  /// P = C·M of every group; single elements are divided by Ĝ + λ as it is now.
  func directions<S: KernelScalar>(
    of groups: [BlockGroup], _ step: inout Step<S>
  ) throws(StepRefusal) -> [Matrix<S>] {
    let name = Self.record.name
    var tasks: [Direction<S>] = []
    for group in groups {
      let M = try step.latest("M", of: group.owner, rows: group.rows, columns: group.columns, for: name)
      let (rows, columns) = group.shape(S.self)
      let C = try step.latest(group.slot, of: group.owner, rows: rows, columns: columns, for: name)
      tasks.append(group.direction(M, by: C, damping: damping, on: step.backend))
    }
    return try step.directions("P", tasks)
  }
}
