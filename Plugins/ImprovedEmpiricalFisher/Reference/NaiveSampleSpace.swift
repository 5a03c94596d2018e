import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

/// iEF, EF, SF and NGD from their definitions: J is formed, and the systems are solved by elimination with pivots.
struct NaiveSampleSpace: ReferenceOptimizer {
  enum Method {
    case improved(ImprovedEmpiricalFisher.Variant)
    case empirical
    case sampled(labels: Int)
    case exact
  }

  let method: Method
  let settings: any SampleSpaceMethod
  let how: Postprocessing
  var v: [[Double]] = []
  /// The largest mean square of V's rows so far.
  var curvature = 0.0

  init(_ settings: some SampleSpaceMethod, _ method: Method) {
    self.method = method
    self.settings = settings
    how = settings.postprocessing
  }

  mutating func step(_ step: inout ReferenceStep) {
    if step.parameters.isEmpty { return }
    let (Δ, longest) = direction(step)
    let α = settings.lr * step.schedule
    let length = Δ.reduce(0) { $0 + $1 * $1 }.squareRoot()
    var c = how.normalize ? (length > 0 ? 1 / length : 0) : 1
    let limit = how.maxNorm
    if limit > 0 { c = min(c, limit / (α * length)) }
    c = min(c, longest / α)
    if v.isEmpty { v = step.values.map { $0.map { _ in 0 } } }
    var offset = 0
    for p in step.parameters.indices {
      for i in step.values[p].indices {
        v[p][i] = how.momentum * v[p][i] + c * Δ[offset]
        step.values[p][i] -= α * v[p][i] + α * how.weightDecay * step.values[p][i]
        offset += 1
      }
    }
  }

  private mutating func direction(_ step: ReferenceStep) -> (Δ: [Double], longest: Double) {
    if case .exact = method { return natural(step) }
    return (combination(step), .infinity)
  }

  /// (F + λ·I)⁻¹ ∇L, and its multiple with ½·Δᵀ(F + λ·I)Δ = κ·N.
  private mutating func natural(_ step: ReferenceStep) -> (Δ: [Double], longest: Double) {
    guard let fisher = try? step.objective.exactFisher() else { fatalError("no exact Fisher matrix") }
    let V = fisher.columns.flatMap { naiveRows($0, step.parameters) }
    let lengths = V.map { dot($0, $0) }.filter { $0 > 0 }
    curvature = max(curvature, lengths.reduce(0, +) / Double(lengths.count))
    let λ = settings.damping * (settings.dampingMode == .relative ? curvature : 1)
    let Δ = solve(V, fisher.coefficients.transposed.array, metric: V.map { _ in 1 }, λ: λ).Δ
    let quadratic = V.reduce(0) { $0 + dot($1, Δ) * dot($1, Δ) } + λ * dot(Δ, Δ)
    let κ = (settings as? NaturalGradient)?.trustRegion ?? 0
    return (Δ, κ > 0 ? (2 * κ * Double(step.objective.sampleCount) / quadratic).squareRoot() : .infinity)
  }

  /// The sum of the samples' own gradients that iEF, EF and SF make.
  private func combination(_ step: ReferenceStep) -> [Double] {
    guard let captures = step.captures else { fatalError("NaiveSampleSpace: there are no captures") }
    let J = naiveRows(captures, step.parameters)
    switch method {
    case .improved(let variant):
      let r = step.objective.outputGradients!
      let s = (0..<J.count).map { n in
        r.values.row(n).array.reduce(0) { $0 + $1 * $1 } * r.scaleToSum * r.scaleToSum
      }
      return solve(J, s, metric: variant == .B ? s : s.map { _ in 1 }).Δ
    case .empirical: return solve(J, J.map { _ in 1 }, metric: J.map { _ in 1 }).Δ
    case .sampled(let count):
      guard let sampled = try? step.objective.sampledCaptures() else { fatalError("no sampled captures") }
      // A recorded batch gives the same draw every time.
      let Ĵ = Array(repeatElement(naiveRows(sampled, step.parameters), count: count).joined())
      let g = J.dropFirst().reduce(J[0]) { sum, row in zip(sum, row).map { $0 + $1 } }
      let (projected, λ) = solve(Ĵ, Ĵ.map { dot($0, g) }, metric: Ĵ.map { _ in Double(count) })
      return zip(g, projected).map { ($0 - $1) / λ }
    case .exact: fatalError("NaiveSampleSpace: V is not J")
    }
  }

  /// Jᵀ·(J·Jᵀ + λ·diag(metric))⁻¹·b without the rows that are near-duplicates, and λ.
  private func solve(
    _ J: [[Double]], _ b: [Double], metric: [Double], λ given: Double? = nil
  ) -> (Δ: [Double], λ: Double) {
    let all = J.indices.filter { dot(J[$0], J[$0]) > 0 && metric[$0] > 0 }
    let mean = all.reduce(0) { $0 + dot(J[$1], J[$1]) / metric[$1] } / Double(all.count)
    let relative = if case .sampled(let k) = method { Double(k) * mean } else { mean }
    let λ = given ?? settings.damping * (settings.dampingMode == .relative ? relative : 1)
    let threshold = settings.duplicates
    let kept = all.filter { i in
      !all.contains { j in
        let cosine = abs(dot(J[i], J[j])) / (dot(J[i], J[i]) * dot(J[j], J[j])).squareRoot()
        let isShorter = (dot(J[i], J[i]), -i) < (dot(J[j], J[j]), -j)
        return i != j && threshold < 1 && cosine > threshold && isShorter
      }
    }
    let K = kept.map { i in kept.map { j in dot(J[i], J[j]) + (i == j ? λ * metric[i] : 0) } }
    let w = eliminate(K, kept.map { b[$0] })
    let Δ = J[0].indices.map { p in zip(kept, w).reduce(0) { $0 + $1.1 * J[$1.0][p] } }
    return (Δ, λ)
  }
}

/// J: the gradients of every sample by all parameters, in a row.
func naiveRows<Kind>(_ captures: Captures<Double, Kind>, _ parameters: [ParameterInfo]) -> [[Double]] {
  var J = [[Double]](repeating: [], count: captures.sampleCount)
  for parameter in parameters {
    guard let layer = parameter.layer, let capture = captures.layers[layer] else {
      fatalError("NaiveSampleSpace: \(parameter.name) has no layer")
    }
    for (n, row) in naiveGradients(capture, parameter).enumerated() { J[n] += row }
  }
  return J
}

package func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
