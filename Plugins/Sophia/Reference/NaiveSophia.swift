import FisherCurvature
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
    if steps % method.hessianPeriod == 0 { estimate(step) }
    steps += 1
    let α = method.lr * step.schedule
    let B = Double(step.objective.sampleCount)
    for p in m.indices {
      for i in m[p].indices {
        m[p][i] = method.beta1 * m[p][i] + (1 - method.beta1) * step.gradients[p][i]
        let size = min(abs(m[p][i]) / (method.rho * B * h[p][i] + method.eps), 1)
        let moved = m[p][i] < 0 ? -size : size
        step.values[p][i] = (1 - α * method.weightDecay) * step.values[p][i] - α * moved
      }
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
