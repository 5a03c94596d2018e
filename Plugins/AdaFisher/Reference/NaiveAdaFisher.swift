import FisherCurvature
import FisherOptimizers
import FisherRuntime

/// AdaFisher and AdaFisherW, from their definitions: every F̃ is formed, every patch is cut out.
struct NaiveAdaFisher: ReferenceOptimizer {
  let method: ResolvedAdaFisher
  var k = 0
  var βt = 1.0
  var H: [String: [Double]] = [:]
  var S: [String: [Double]] = [:]
  var m: [[Double]] = []

  mutating func step(_ step: inout ReferenceStep) {
    if k % method.period == 0 {
      for (layer, capture) in step.captures?.layers ?? [:] {
        var capture = capture
        if method.isImproved {
          let outputs = step.objective.outputGradients!
          capture = naiveImproved(capture, by: naiveOutputNorms(outputs, samples: capture.sampleCount))
        }
        let (h, s) = naiveFactors(capture, dividesByPatch: method.dividesByPatch)
        if (h + s).contains(where: \.isNaN) { continue }
        H[layer] = average(H[layer], h)
        S[layer] = average(S[layer], s)
      }
    }
    k += 1
    let (α, γ) = (method.α * step.schedule, method.γ)
    let β = method.β
    βt *= β
    if m.isEmpty { m = step.values.map { $0.map { _ in 0 } } }
    for (p, parameter) in step.parameters.enumerated() {
      let divisor = fisher(parameter)
      for i in step.values[p].indices {
        let θ = step.values[p][i]
        let g = step.gradients[p][i] + (method.isDecoupled ? 0 : γ * θ)
        m[p][i] = β * m[p][i] + (1 - β) * g
        step.values[p][i] = θ - α * (m[p][i] / ((1 - βt) * divisor[i]) + (method.isDecoupled ? γ * θ : 0))
      }
    }
  }

  private func average(_ old: [Double]?, _ new: [Double]) -> [Double] {
    let new = method.scaling == .beforeEMA ? scaled(new) : new
    return new.indices.map { method.kept * (old?[$0] ?? 1) + method.mixed * new[$0] }
  }

  private func scaled(_ v: [Double]) -> [Double] {
    let v = v.map { $0 == .infinity ? 1 : $0 == -.infinity ? 0 : $0 }
    let range = v.max()! - v.min()! + method.ε
    return v.map { range > 0 ? ($0 - v.min()!) / range : 0 }
  }

  /// F̃, element by element.
  private func fisher(_ parameter: ParameterInfo) -> [Double] {
    let λ = method.λ
    let constant = [Double](repeating: λ, count: parameter.count)
    guard method.control != .lambda, let layer = parameter.layer, var h = H[layer], var s = S[layer] else {
      return constant
    }
    if method.scaling == .afterEMA { (h, s) = (scaled(h), scaled(s)) }
    if method.control == .geometricMean {
      var logs = 0.0
      for a in s { for b in h { logs += log(a * b + λ) } }
      return constant.map { _ in exp(logs / Double(h.count * s.count)) }
    }
    return (0..<parameter.count).map { i in
      let (row, column) = (i / parameter.columns, i % parameter.columns)
      switch parameter.role {
      case .linearWeight, .convolutionWeight: return s[row] * h[column] + λ
      case .bias: return s[i] * h[h.count - 1] + λ
      case .normScale: return s[i] * h[0] + λ
      case .normShift: return s[i] * h[1] + λ
      case .embedding: return h[row] * s[column] + λ
      case .plain: return λ
      }
    }
  }
}
