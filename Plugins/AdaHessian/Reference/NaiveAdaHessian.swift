import FisherLinearAlgebra
import FisherOptimizers
import FisherRuntime

/// AdaHessian from its definition, number by number.
struct NaiveAdaHessian: ReferenceOptimizer {
  let method: AdaHessian
  var t = 0
  var updates = 0
  var m: [[Double]] = []
  var v: [[Double]] = []

  init(method: AdaHessian) { self.method = method }

  mutating func step(_ step: inout ReferenceStep) {
    if step.parameters.isEmpty { return }
    if m.isEmpty {
      m = step.values.map { $0.map { _ in 0 } }
      v = m
    }
    t += 1
    if (t - 1) % method.hessianPeriod == 0 { estimate(step) }
    func corrected(_ β: Double, _ n: Int) -> Double { 1 - (0..<n).reduce(1.0) { product, _ in product * β } }
    let α = method.lr * step.schedule
    for p in m.indices {
      for i in m[p].indices {
        m[p][i] = method.beta1 * m[p][i] + (1 - method.beta1) * step.gradients[p][i]
        let mean = m[p][i] / corrected(method.beta1, t)
        let size = (v[p][i] / corrected(method.beta2, updates)).squareRoot()
        let direction = mean / (pow(size, method.hessianPower) + method.eps)
        step.values[p][i] -= α * (direction + method.weightDecay * step.values[p][i])
      }
    }
  }

  private mutating func estimate(_ step: ReferenceStep) {
    updates += 1
    var z: [String: Matrix<Double>] = [:]
    for parameter in step.parameters {
      let probe = RandomProbe(.rademacher, seed: method.seed, step: t, parameter: parameter.name)
      let signs = (0..<parameter.count).map { probe[$0] }
      z[parameter.name] = Matrix(signs, rows: parameter.rows, columns: parameter.columns)
    }
    let Hz = (try? step.objective.hessianProduct(along: z))!
    for (p, parameter) in step.parameters.enumerated() {
      var D = zip(z[parameter.name]!.array, Hz[parameter.name]!.array).map { abs($0 * $1) }
      let taps = parameter.shape.count > 2 ? parameter.shape[2...].reduce(1, *) : 1
      if method.averagesTaps && parameter.role == .convolutionWeight {
        D = D.indices.map { i in (0..<taps).reduce(0) { $0 + D[i / taps * taps + $1] } / Double(taps) }
      }
      for i in D.indices { v[p][i] = method.beta2 * v[p][i] + (1 - method.beta2) * D[i] * D[i] }
    }
  }
}
