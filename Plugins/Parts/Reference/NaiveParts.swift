import FisherOptimizers

extension ReferenceStep {
  /// Where a method brings the weights from here, with other gradients or another schedule if they are given.
  func proposal(
    of method: inout any ReferenceOptimizer, gradients: [[Double]]? = nil, factor: Double = 1
  ) -> [[Double]] {
    var step = ReferenceStep(
      parameters: parameters, values: values, gradients: gradients ?? self.gradients,
      schedule: schedule * factor, objective: objective)
    method.step(&step)
    return step.values
  }

  /// A value for each element i of each parameter p.
  func mapValues(_ value: (_ p: Int, _ i: Int) -> Double) -> [[Double]] {
    values.indices.map { p in values[p].indices.map { i in value(p, i) } }
  }
}

/// A factor for each step, from its number.
struct NaiveSchedule: ReferenceOptimizer {
  var method: any ReferenceOptimizer
  var t = 0
  let factor: (Int) -> Double

  init(method: any ReferenceOptimizer, factor: @escaping (Int) -> Double) {
    self.method = method
    self.factor = factor
  }

  var tested: [[Double]]? { method.tested }

  mutating func step(_ step: inout ReferenceStep) {
    t += 1
    step.values = step.proposal(of: &method, factor: factor(t))
  }
}

/// Other gradients, from all gradients and their parameters.
struct NaiveClipping: ReferenceOptimizer {
  var method: any ReferenceOptimizer
  let clipped: ([ParameterInfo], [[Double]]) -> [[Double]]

  var tested: [[Double]]? { method.tested }

  mutating func step(_ step: inout ReferenceStep) {
    step.values = step.proposal(of: &method, gradients: clipped(step.parameters, step.gradients))
  }
}

/// New weights from a step and what the method proposes, without memory.
struct NaiveProposal: ReferenceOptimizer {
  var method: any ReferenceOptimizer
  let accepted: (ReferenceStep, [[Double]]) -> [[Double]]

  mutating func step(_ step: inout ReferenceStep) {
    step.values = accepted(step, step.proposal(of: &method))
  }
}

/// Heavy-ball momentum, written as the sum over all steps so far: Σ βᵗ⁻ˢ·Δₛ.
struct NaiveMomentumPart: ReferenceOptimizer {
  var method: any ReferenceOptimizer
  let β: Double
  let isNesterov: Bool
  var steps: [[[Double]]] = []

  init(method: any ReferenceOptimizer, β: Double, isNesterov: Bool) {
    self.method = method
    self.β = β
    self.isNesterov = isNesterov
  }

  mutating func step(_ step: inout ReferenceStep) {
    let proposed = step.proposal(of: &method)
    steps.append(step.mapValues { p, i in proposed[p][i] - step.values[p][i] })
    step.values = step.mapValues { p, i in
      let sum = steps.reduce(0) { β * $0 + $1[p][i] }
      return step.values[p][i] + (isNesterov ? steps.last![p][i] + β * sum : sum)
    }
  }
}

/// The direction of one method with the length of another, for each parameter.
struct NaiveGraft: ReferenceOptimizer {
  var method: any ReferenceOptimizer
  var donor: any ReferenceOptimizer

  mutating func step(_ step: inout ReferenceStep) {
    let (own, other) = (step.proposal(of: &method), step.proposal(of: &donor))
    step.values = step.values.indices.map { p in
      let θ = step.values[p]
      let Δ = zip(own[p], θ).map { $0 - $1 }
      let length = naiveNorm(Δ)
      if length == 0 { return own[p] }
      let ratio = naiveNorm(zip(other[p], θ).map { $0 - $1 }) / length
      return zip(θ, Δ).map { $0 + ratio * $1 }
    }
  }
}

/// A mean of the weights of all steps, from the first on, with a share for each.
struct NaiveAverage: ReferenceOptimizer {
  var method: any ReferenceOptimizer
  /// The weights before the first step and after each.
  var path: [[[Double]]] = []
  let shares: ([[[Double]]]) -> [Double]

  init(method: any ReferenceOptimizer, shares: @escaping ([[[Double]]]) -> [Double]) {
    self.method = method
    self.shares = shares
  }

  mutating func step(_ step: inout ReferenceStep) {
    if path.isEmpty { path = [step.values] }
    step.values = step.proposal(of: &method)
    path.append(step.values)
  }

  var tested: [[Double]]? {
    let shares = shares(path)
    return path[0].indices.map { p in
      path[0][p].indices.map { i in path.indices.reduce(0) { $0 + shares[$1] * path[$1][p][i] } }
    }
  }
}

/// Schedule-Free: x is the weighted mean of all z so far.
struct NaiveScheduleFreePart: ReferenceOptimizer {
  var method: any ReferenceOptimizer
  let β: Double
  var z: [[Double]] = []
  var x: [[Double]] = []
  /// Σ s²·z and Σ s².
  var weighted: [[Double]] = []
  var weights = 0.0

  init(method: any ReferenceOptimizer, β: Double) {
    self.method = method
    self.β = β
  }

  var tested: [[Double]]? { x }

  mutating func step(_ step: inout ReferenceStep) {
    if z.isEmpty {
      (z, x) = (step.values, step.values)
      weighted = step.mapValues { _, _ in 0 }
    }
    let proposed = step.proposal(of: &method)
    let s = step.schedule
    weights += s * s
    for p in z.indices {
      for i in z[p].indices {
        z[p][i] += proposed[p][i] - step.values[p][i]
        weighted[p][i] += s * s * z[p][i]
        if weights > 0 { x[p][i] = weighted[p][i] / weights }
        step.values[p][i] = (1 - β) * z[p][i] + β * x[p][i]
      }
    }
  }
}

/// The norm of a list.
func naiveNorm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }

/// Lists scaled so that their norm together is at most `limit`.
func naivelyBounded(_ gradients: [[Double]], by limit: Double) -> [[Double]] {
  let norm = naiveNorm(gradients.flatMap { $0 })
  return norm > limit ? gradients.map { $0.map { $0 * (limit / norm) } } : gradients
}

/// xⁿ as a product, 0⁰ = 1.
func naiveIntegerPower(_ x: Double, _ n: Int) -> Double { (0..<n).reduce(1) { product, _ in product * x } }

/// cos² x by its series.
func naiveSquaredCosine(_ x: Double) -> Double {
  var (term, sum, n) = (1.0, 1.0, 0.0)
  while abs(term) > 1e-18 {
    term *= -x * x / ((n + 1) * (n + 2))
    sum += term
    n += 2
  }
  return sum * sum
}
