import FisherLinearAlgebra
import FisherOptimizers

/// Ĝ ← β·Ĝ + α·Σₛ (the products of the vectors of sample s), from the old Ĝ of a group in memory of its own.
struct BlockAverage<S: KernelScalar> {
  private let group: BlockGroup
  private let backend: any Backend
  private let threads: Int
  /// The old Ĝ, and how much of it is kept; nil once that is part of the new one.
  private var old: (G: Matrix<S>, β: Double)?
  /// The new Ĝ; undefined before the first addition.
  private(set) var G: Matrix<S>

  init(of group: BlockGroup, keeping β: Double, in step: inout Step<S>) {
    let (rows, columns) = group.shape(S.self)
    self.group = group
    (backend, threads) = (step.backend, step.threads)
    old = (step.tensor("G", of: group.owner) ?? group.zeros(), β)
    G = step.memory(for: "G", of: group.owner, rows: rows, columns: columns)
  }

  /// Adds the products of the vectors of so many samples, which lie one sample's below another's, times α.
  mutating func add(_ vectors: Matrix<S>, samples: Int, times α: Double) {
    let (group, old, backend, threads) = (group, old, backend, threads)
    let β = S(old?.β ?? 1)
    switch group.form {
    case .diagonal:
      var rest = vectors
      if let old {
        let first = vectors[rows: 0..<group.rows, columns: 0...]
        G.assign(SquareCombination(α, old.β), of: first, old.G, threads: threads)
        rest = vectors[rows: group.rows..., columns: 0...]
      }
      G.fold(SquareCombination(α, 1), over: rest, threads: threads)
    case .rankOne:
      G = vectors
    case .separate:
      G.withMutableBlocks(count: group.rows, order: group.columns, isUndefined: old != nil) {
        $0.addOuterProducts(
          ofSamples: MatrixStack(splitting: vectors, count: samples), alpha: S(α), beta: β,
          to: old.map { group.blocks($0.G) }, on: backend, threads: threads)
      }
    case .shared:
      if let old { copy(old.G, into: &G, on: backend) }
      syrk(
        alpha: S(α / Double(group.rows)), vectors.transposed, beta: β, into: &G, on: backend, threads: threads
      )
    }
    self.old = nil
  }
}
