import FisherOptimizers

/// Schedule-Free AdamW, from its definition: x is the weighted mean of all z so far.
struct NaiveScheduleFree: ReferenceOptimizer {
  let method: ScheduleFreeAdamW
  var t = 0
  var v: [[Double]] = []
  var z: [[Double]] = []
  /// Σ α²·z and Σ α².
  var weighted: [[Double]] = []
  var weights = 0.0

  var tested: [[Double]]? { weighted.map { $0.map { $0 / weights } } }

  mutating func step(_ step: inout ReferenceStep) {
    t += 1
    let (β1, β2) = (method.beta1, method.beta2)
    let warm = method.warmUp == 0 ? 1 : min(1, Double(t) / Double(method.warmUp))
    let α = method.lr * step.schedule * warm
    if z.isEmpty {
      z = step.values
      v = z.map { $0.map { _ in 0 } }
      weighted = v
    }
    weights += α * α
    let unbiased = 1 - (0..<t).reduce(1.0) { product, _ in product * β2 }
    for p in step.values.indices {
      for i in step.values[p].indices {
        let g = step.gradients[p][i]
        v[p][i] = β2 * v[p][i] + (1 - β2) * g * g
        let direction = g / ((v[p][i] / unbiased).squareRoot() + method.eps)
        z[p][i] -= α * (direction + method.weightDecay * step.values[p][i])
        weighted[p][i] += α * α * z[p][i]
        if weights > 0 { step.values[p][i] = (1 - β1) * z[p][i] + β1 * weighted[p][i] / weights }
      }
    }
  }
}
