import FisherOptimizers

/// Adafactor, from its definition.
struct NaiveAdafactor: ReferenceOptimizer {
  let method: Adafactor
  var t = 0
  var rowAverages: [[Double]] = []
  var columnAverages: [[Double]] = []
  var averages: [[Double]] = []

  mutating func step(_ step: inout ReferenceStep) {
    t += 1
    if averages.isEmpty {
      averages = step.values.map { $0.map { _ in 0 } }
      rowAverages = step.parameters.map { [Double](repeating: 0, count: $0.rows) }
      columnAverages = step.parameters.map { [Double](repeating: 0, count: $0.columns) }
    }
    let α = method.lr * step.schedule
    let ε1 = method.eps1 > 0 ? method.eps1 : Double.ulpOfOne
    let ρ = min(α, 1 / Double(t).squareRoot())
    let mix = realPower(Double(t), method.decay)
    for p in step.values.indices {
      let (rows, columns) = (step.parameters[p].rows, step.parameters[p].columns)
      let g = step.gradients[p]
      let a = max(method.eps2, rms(step.values[p])) * ρ
      var second = [Double](repeating: 0, count: g.count)
      if step.parameters[p].shape.count == 1 {
        for i in g.indices { averages[p][i] += mix * (g[i] * g[i] - averages[p][i]) }
        second = averages[p]
      } else {
        for i in 0..<rows {
          let mean =
            (0..<columns).reduce(0.0) { $0 + g[i * columns + $1] * g[i * columns + $1] } / Double(columns)
          rowAverages[p][i] += mix * (mean - rowAverages[p][i])
        }
        for j in 0..<columns {
          let mean = (0..<rows).reduce(0.0) { $0 + g[$1 * columns + j] * g[$1 * columns + j] } / Double(rows)
          columnAverages[p][j] += mix * (mean - columnAverages[p][j])
        }
        let mean = max(rowAverages[p].reduce(0, +) / Double(rows), ε1)
        for i in 0..<rows {
          for j in 0..<columns { second[i * columns + j] = rowAverages[p][i] * columnAverages[p][j] / mean }
        }
      }
      let direction = zip(g, second).map { $0 / max($1, ε1 * ε1).squareRoot() }
      let bound = max(1, rms(direction) / method.clip)
      for i in g.indices {
        step.values[p][i] *= 1 - α * method.weightDecay
        step.values[p][i] -= a * direction[i] / bound
      }
    }
  }

  private func rms(_ x: [Double]) -> Double {
    (x.reduce(0) { $0 + $1 * $1 } / Double(max(1, x.count))).squareRoot()
  }
}
