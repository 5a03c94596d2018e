import FisherLinearAlgebra
import FisherOptimizers

extension Shampoo {
  /// The step that the other method would take from the same momentum, and its length; no length for `none`.
  ///
  /// Both share the bias correction of m, which is left out here.
  func grafted<S: KernelScalar>(
    _ m: Matrix<S>, of parameter: ParameterInfo, _ step: inout Step<S>
  ) -> (direction: Matrix<S>, length: Double?) {
    let (g, name, threads) = (step.gradient(parameter), parameter.name, step.threads)
    let v: Matrix<S>
    var correction = 1.0
    switch graftInUse {
    case .none: return (m, nil)
    case .sgd: return (m, Double(nrm2(m, on: step.backend)))
    case .adagrad: v = step.accumulateSquares("v", of: name, keeping: 1, adding: 1, of: g)
    case .adam:
      v = step.accumulateSquares("v", of: name, keeping: graftBeta, adding: 1 - graftBeta, of: g)
      correction = 1 / (1 - graftBeta.raised(to: step.number)).squareRoot()
    }
    let direction = step.temporary(rows: m.rows, columns: m.columns) {
      $0.assign(RootQuotient(correction, ε: graftEps), of: m, v, threads: threads)
    }
    return (direction, Double(nrm2(direction, on: step.backend)))
  }
}
