import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

/// SPRING from its definition: V is formed, and so is the matrix of the least-squares problem in the space of the parameters,
/// which is solved by elimination: (VᵀV + λ·I)·φ = Vᵀu + λ·μ·φ′.
struct NaiveSPRING: ReferenceOptimizer {
  let method: SPRING
  var φ: [Double] = []
  var v: [Double] = []
  /// The largest mean square of V's rows so far.
  var curvature = 0.0

  init(method: SPRING) { self.method = method }

  mutating func step(_ step: inout ReferenceStep) {
    if step.parameters.isEmpty { return }
    guard let fisher = try? step.objective.exactFisher() else { fatalError("no exact Fisher matrix") }
    let V = fisher.columns.flatMap { naiveRows($0, step.parameters) }
    let u = fisher.coefficients.transposed.array
    let lengths = V.map { dot($0, $0) }.filter { $0 > 0 }
    curvature = max(curvature, lengths.reduce(0, +) / Double(max(1, lengths.count)))
    let λ = method.damping * (method.dampingMode == .relative ? curvature : 1)
    let P = V[0].count
    if φ.isEmpty { (φ, v) = ([Double](repeating: 0, count: P), [Double](repeating: 0, count: P)) }
    let F = (0..<P).map { i in
      (0..<P).map { j in V.reduce(i == j ? λ : 0) { $0 + $1[i] * $1[j] } }
    }
    let right = (0..<P).map { i in
      zip(V, u).reduce(λ * method.kept * φ[i]) { $0 + $1.0[i] * $1.1 }
    }
    if λ > 0 { φ = eliminate(F, right) }
    move(&step)
  }

  private mutating func move(_ step: inout ReferenceStep) {
    let how = method.postprocessing
    let α = method.lr * step.schedule
    let length = dot(φ, φ).squareRoot()
    var c = how.normalize ? (length > 0 ? 1 / length : 0) : 1
    if how.maxNorm > 0 { c = min(c, how.maxNorm / (α * length)) }
    var offset = 0
    for p in step.parameters.indices {
      for i in step.values[p].indices {
        v[offset] = how.momentum * v[offset] + c * φ[offset]
        step.values[p][i] -= α * v[offset] + α * how.weightDecay * step.values[p][i]
        offset += 1
      }
    }
  }
}
