import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

/// Sophia-G from its definition, number by number.
struct NaiveSophia: ReferenceOptimizer {
  let method: Sophia
  var steps = 0
  var m: [[Double]] = []
  var h: [[Double]] = []

  init(method: Sophia) { self.method = method }

  mutating func step(_ step: inout ReferenceStep) {
    if step.parameters.isEmpty { return }
    if m.isEmpty {
      m = step.values.map { $0.map { _ in 0 } }
      h = m
    }
    steps += 1
    if (steps - 1) % method.hessianPeriod == 0 {
      if method.estimator == .sampled { estimate(step) } else { estimateHessian(step) }
    }
    let α = method.lr * step.schedule
    let isSampled = method.estimator == .sampled
    let B = isSampled ? Double(step.objective.sampleCount) : 1
    let ρ = isSampled || method.$rho.isGiven ? method.rho : 0.01
    for p in m.indices {
      for i in m[p].indices {
        m[p][i] = method.beta1 * m[p][i] + (1 - method.beta1) * step.gradients[p][i]
        let size = min(abs(m[p][i]) / (max(0, ρ * B * h[p][i]) + method.eps), 1)
        let moved = m[p][i] < 0 ? -size : size
        step.values[p][i] = (1 - α * method.weightDecay) * step.values[p][i] - α * moved
      }
    }
  }

  private mutating func estimateHessian(_ step: ReferenceStep) {
    var u: [String: Matrix<Double>] = [:]
    for p in step.parameters {
      let probe = RandomProbe(.normal, seed: method.seed, step: steps, parameter: p.name)
      u[p.name] = Matrix((0..<p.count).map { probe[$0] }, rows: p.rows, columns: p.columns)
    }
    let Hu = (try? step.objective.hessianProduct(along: u))!
    for (p, parameter) in step.parameters.enumerated() {
      let (u, product) = (u[parameter.name]!.array, Hu[parameter.name]!.array)
      for i in u.indices { h[p][i] = method.beta2 * h[p][i] + (1 - method.beta2) * u[i] * product[i] }
    }
  }

  private mutating func estimate(_ step: ReferenceStep) {
    let captures = (try? step.objective.sampledCaptures())!.layers
    for (p, parameter) in step.parameters.enumerated() {
      let capture = captures[parameter.layer!]!
      let M = capture.outputGradients.scaleToSum / capture.outputGradients.scaleToMean
      var q = [Double](repeating: 0, count: parameter.count)
      for row in naiveGradients(capture, parameter) { for i in q.indices { q[i] += row[i] / M } }
      for i in q.indices { h[p][i] = method.beta2 * h[p][i] + (1 - method.beta2) * q[i] * q[i] }
    }
  }
}
