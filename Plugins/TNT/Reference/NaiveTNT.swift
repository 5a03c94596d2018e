import FisherCurvature
import FisherOptimizers
import FisherRuntime

/// TNT from its definition: every contraction is a sum over elements, the damped covariance of every parameter is formed as
/// a Kronecker product, and every step solves it by elimination.
struct NaiveTNT: ReferenceOptimizer {
  typealias Dense = [[Double]]

  let method: TNT
  var preconditioning: NaivePreconditioning
  var steps = 0
  var updates = 0
  /// H of each parameter and axis.
  var H: [[Dense]] = []
  /// The damped covariance of each parameter, as it was when it was last refreshed.
  var F: [Dense] = []

  init(method: TNT) {
    self.method = method
    preconditioning = NaivePreconditioning(method.preconditioning)
  }

  mutating func step(_ step: inout ReferenceStep) {
    let axes = step.parameters.map(Self.axes)
    if H.isEmpty {
      H = axes.map { $0.map { n in (0..<n).map { _ in [Double](repeating: 0, count: n) } } }
      F = axes.map { _ in [] }
    }
    let (T1, T2, count) = (method.statisticsPeriod, method.refreshPeriod, step.parameters.count)
    let isUpdate = steps % T1 == 0
    if isUpdate {
      updates += 1
      let kept = min(1 - 1 / Double(updates), method.beta)
      for p in axes.indices { average(p, axes[p], gradient(p, step), kept) }
    }
    let V = preconditioning.vectors(step)
    var Δ = V
    for p in axes.indices {
      let isEarly = isUpdate && steps / T1 < 3
      if isEarly || steps % T2 == p * T2 / count % T2 { F[p] = covariance(p, axes[p]) }
      Δ[p] = eliminate(F[p], V[p])
    }
    preconditioning.move(&step, Δ, V, lr: method.lr)
    steps += 1
  }

  private static func axes(_ parameter: ParameterInfo) -> [Int] {
    let shape = parameter.shape
    if shape.count < 4 { return shape }
    let taps = shape[2] * shape[3]
    return taps == 1 ? [shape[0], shape[1]] : [shape[0], shape[1], taps]
  }

  private func gradient(_ p: Int, _ step: ReferenceStep) -> [Double] {
    let parameter = step.parameters[p]
    if method.statistics == .empirical { return step.gradients[p] }
    let capture = (try? step.objective.sampledCaptures())!.layers[parameter.layer!]!
    let M = capture.outputGradients.scaleToSum / capture.outputGradients.scaleToMean
    var sum = [Double](repeating: 0, count: parameter.count)
    for row in naiveGradients(capture, parameter) {
      for i in sum.indices { sum[i] += row[i] / M }
    }
    return sum
  }

  /// Every pair of elements that agree in all axes but one belongs to a place of that axis's contraction.
  private mutating func average(_ p: Int, _ axes: [Int], _ S: [Double], _ kept: Double) {
    for a in axes.indices {
      let n = axes[a]
      let after = axes[(a + 1)...].reduce(1, *)
      var new = H[p][a].map { $0.map { _ in 0.0 } }
      for x in S.indices {
        let i = x / after % n
        for j in 0..<n { new[i][j] += S[x] * S[x + (j - i) * after] }
      }
      for i in 0..<n { for j in 0..<n { H[p][a][i][j] = kept * H[p][a][i][j] + (1 - kept) * new[i][j] } }
    }
  }

  /// ⊗ᵢ (Uᵢ + ε·I).
  private func covariance(_ p: Int, _ axes: [Int]) -> Dense {
    let count = axes.reduce(1, *)
    let k = Double(axes.count)
    let trace = H[p][0].indices.reduce(0) { $0 + H[p][0][$1][$1] }
    let c = trace > 0 ? exp(log(trace / Double(count)) / k) : 1
    var product: Dense = [[1]]
    for (a, n) in axes.enumerated() {
      var divisor = Double(count / n)
      for _ in 1..<axes.count { divisor *= c }
      let U = (0..<n).map { i in
        (0..<n).map { j in H[p][a][i][j] / divisor + (i == j ? method.damping : 0) }
      }
      product = product.flatMap { row in U.map { u in row.flatMap { x in u.map { x * $0 } } } }
    }
    return product
  }
}
