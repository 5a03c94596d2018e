import FisherOptimizers

/// SGD, from its definition.
struct NaiveSGD: ReferenceOptimizer {
  let method: SGD
  var t = 0
  var b: [[Double]] = []

  mutating func step(_ step: inout ReferenceStep) {
    t += 1
    let μ = method.momentum
    if b.isEmpty { b = step.gradients }
    for p in step.values.indices {
      for i in step.values[p].indices {
        let g = step.gradients[p][i] + method.weightDecay * step.values[p][i]
        b[p][i] = t == 1 ? g : μ * b[p][i] + (1 - method.dampening) * g
        let direction = method.nesterov ? g + μ * b[p][i] : b[p][i]
        step.values[p][i] -= method.lr * step.schedule * direction
      }
    }
  }
}

/// Lion, from its definition.
struct NaiveLion: ReferenceOptimizer {
  let method: Lion
  var m: [[Double]] = []

  mutating func step(_ step: inout ReferenceStep) {
    let α = method.lr * step.schedule
    let (β1, β2) = (method.beta1, method.beta2)
    if m.isEmpty { m = step.values.map { $0.map { _ in 0 } } }
    for p in step.values.indices {
      for i in step.values[p].indices {
        let g = step.gradients[p][i]
        step.values[p][i] *= 1 - α * method.weightDecay
        let direction = β1 * m[p][i] + (1 - β1) * g
        if direction > 0 { step.values[p][i] -= α }
        if direction < 0 { step.values[p][i] += α }
        m[p][i] = β2 * m[p][i] + (1 - β2) * g
      }
    }
  }
}
