import FisherOptimizers

/// SGD, from its definition.
struct NaiveSGD: ReferenceOptimizer {
  let settings: Settings
  var t = 0
  var b: [[Double]] = []

  init(_ settings: Settings) { self.settings = settings }

  mutating func step(_ step: inout ReferenceStep) {
    t += 1
    let μ = settings.number("momentum")
    if b.isEmpty { b = step.gradients }
    for p in step.values.indices {
      for i in step.values[p].indices {
        let g = step.gradients[p][i] + settings.number("weightDecay") * step.values[p][i]
        b[p][i] = t == 1 ? g : μ * b[p][i] + (1 - settings.number("dampening")) * g
        let direction = settings.flag("nesterov") ? g + μ * b[p][i] : b[p][i]
        step.values[p][i] -= settings.number("lr") * step.schedule * direction
      }
    }
  }
}

/// Lion, from its definition.
struct NaiveLion: ReferenceOptimizer {
  let settings: Settings
  var m: [[Double]] = []

  init(_ settings: Settings) { self.settings = settings }

  mutating func step(_ step: inout ReferenceStep) {
    let α = settings.number("lr") * step.schedule
    let (β1, β2) = (settings.number("beta1"), settings.number("beta2"))
    if m.isEmpty { m = step.values.map { $0.map { _ in 0 } } }
    for p in step.values.indices {
      for i in step.values[p].indices {
        let g = step.gradients[p][i]
        step.values[p][i] *= 1 - α * settings.number("weightDecay")
        let direction = β1 * m[p][i] + (1 - β1) * g
        if direction > 0 { step.values[p][i] -= α }
        if direction < 0 { step.values[p][i] += α }
        m[p][i] = β2 * m[p][i] + (1 - β2) * g
      }
    }
  }
}
