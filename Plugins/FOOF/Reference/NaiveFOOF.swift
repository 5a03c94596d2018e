import FisherOptimizers

/// FOOF from its definition: every step solves a system with the damped input factor, row by row of the gradient.
struct NaiveFOOF: ReferenceOptimizer {
  let method: FOOF
  var factors: NaiveFactors
  var preconditioning: NaivePreconditioning
  /// The damped factor of each block, as it was when it was last refreshed.
  var damped: [[[Double]]] = []

  init(method: FOOF) {
    self.method = method
    factors = NaiveFactors(method.factors)
    preconditioning = NaivePreconditioning(method.preconditioning)
  }

  mutating func step(_ step: inout ReferenceStep) {
    let blocks = NaiveFactors.blocks(step.parameters)
    factors.begin(step, blocks, step.captures?.layers ?? [:])
    let V = preconditioning.vectors(step)
    var Δ = V
    for (b, block) in blocks.enumerated() {
      if damped.count == b { damped.append([]) }
      if factors.isRefresh(b, of: blocks.count) {
        damped[b] = factors.A[b]
        for i in damped[b].indices { damped[b][i][i] += method.damping }
      }
      let rows = NaiveFactors.matrix(block, V, step.parameters).map { eliminate(damped[b], $0) }
      NaiveFactors.put(rows, block, into: &Δ)
    }
    preconditioning.move(&step, Δ, V, lr: method.lr)
  }
}
