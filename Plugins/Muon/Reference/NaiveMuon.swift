import FisherOptimizers

/// Muon from its definition: plain products, and the polynomial with every power formed.
struct NaiveMuon: ReferenceOptimizer {
  typealias Dense = [[Double]]

  let method: Muon
  var t = 0
  var m: [[Double]] = []
  var v: [[Double]] = []

  mutating func step(_ step: inout ReferenceStep) {
    t += 1
    if m.isEmpty {
      m = step.values.map { $0.map { _ in 0 } }
      v = m
    }
    let matrices = step.parameters.indices.filter {
      step.parameters[$0].role == .linearWeight || step.parameters[$0].role == .convolutionWeight
    }
    for p in step.parameters.indices {
      let isHead =
        method.head == .adamw && matrices.count > 1 && p == matrices.last
        && step.parameters[p].role == .linearWeight
      if matrices.contains(p) && !isHead { moveMatrix(&step, p) } else { moveVector(&step, p) }
    }
  }

  private mutating func moveMatrix(_ step: inout ReferenceStep, _ p: Int) {
    let (rows, columns) = (step.parameters[p].rows, step.parameters[p].columns)
    let (μ, α) = (method.momentum, method.lr * step.schedule)
    var u: [Double] = []
    for i in m[p].indices {
      let g = step.gradients[p][i]
      m[p][i] = μ * m[p][i] + (1 - μ) * g
      u.append(method.nesterov ? (1 - μ) * g + μ * m[p][i] : m[p][i])
    }
    let norm = u.reduce(0) { $0 + $1 * $1 }.squareRoot()
    var X = (0..<rows).map { r in (0..<columns).map { u[r * columns + $0] / (norm + 1e-7) } }
    if rows > columns { X = transposed(X) }
    for _ in 0..<method.iterations {
      let A = product(X, transposed(X))
      let (AX, AAX) = (product(A, X), product(product(A, A), X))
      for r in X.indices {
        for c in X[r].indices { X[r][c] = 3.4445 * X[r][c] - 4.7750 * AX[r][c] + 2.0315 * AAX[r][c] }
      }
    }
    if rows > columns { X = transposed(X) }
    let (m, n) = (Double(rows), Double(columns))
    let length = method.scale == .spectral ? max(1, m / n).squareRoot() : 0.2 * max(m, n).squareRoot()
    for r in 0..<rows {
      for c in 0..<columns {
        let i = r * columns + c
        step.values[p][i] = (1 - α * method.weightDecay) * step.values[p][i] - α * length * X[r][c]
      }
    }
  }

  private mutating func moveVector(_ step: inout ReferenceStep, _ p: Int) {
    let (β1, β2, α) = (method.adamBeta1, method.adamBeta2, method.adamLr * step.schedule)
    func corrected(_ β: Double) -> Double { 1 - (0..<t).reduce(1.0) { product, _ in product * β } }
    for i in m[p].indices {
      let g = step.gradients[p][i]
      m[p][i] = β1 * m[p][i] + (1 - β1) * g
      v[p][i] = β2 * v[p][i] + (1 - β2) * g * g
      let direction = m[p][i] / corrected(β1) / ((v[p][i] / corrected(β2)).squareRoot() + method.adamEps)
      step.values[p][i] = (1 - α * method.weightDecay) * step.values[p][i] - α * direction
    }
  }

  private func product(_ A: Dense, _ B: Dense) -> Dense {
    A.map { row in B[0].indices.map { j in row.indices.reduce(0) { $0 + row[$1] * B[$1][j] } } }
  }

  private func transposed(_ A: Dense) -> Dense { A[0].indices.map { j in A.map { $0[j] } } }
}
