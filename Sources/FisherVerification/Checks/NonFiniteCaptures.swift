import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

extension Check {
  /// Gradients are finite, and something that passed through the layers is not: only the method itself can notice.
  static let nonFiniteCaptures = Check(
    name: "non-finite-captures",
    meaning: "NaN or infinity in captures refuses the step, or leaves weights and state finite",
    applies: { !$0.needs.isDisjoint(with: .captures) }
  ) { subject in
    var (refused, taken) = (0, 0)
    for settings in subject.probes {
      for bad in [Double.nan, .infinity] {
        for change in [badInputs, badGradients] {
          let trace = subject.trace(seed: seed, steps: 2)
          var driver = try OptimizerDriver<Double>(
            try subject.type.init(settings), parameters: trace.parameters, threads: 1)
          var values = trace.matrices(trace.values, Double.self)
          for t in 0..<2 {
            var gradients = trace.matrices(trace.gradients[t], Double.self)
            let batch = t == 0 ? trace.batches?[t] : trace.batches?[t].mapLayers { change($0, bad) }
            let (oldValues, oldState) = (values, driver.state.fingerprint)
            do {
              _ = try driver.step(
                values: &values, gradients: &gradients,
                objective: batch?.converted(to: Double.self, needs: driver.needs) ?? PlainObjective<Double>())
              taken += t
            } catch is StepRefusal {
              refused += 1
              try demand(
                t == 1 && values == oldValues && driver.state.fingerprint == oldState,
                "a refused step changed something")
            }
          }
          let numbers = values.flatMap(\.array) + driver.state.tensors.values.flatMap(\.array)
          try demand(
            numbers.allSatisfy(\.isFinite),
            "\(described(settings)): \(bad) in captures spreads to weights or state")
        }
      }
    }
    return "\(refused) steps refused, \(taken) taken"
  }

  /// The first input of every layer; tokens stay.
  private static func badInputs(_ layer: LayerCapture<Double>, _ bad: Double) -> LayerCapture<Double> {
    if case .embedding = layer.kind { return layer }
    func changed(_ x: Matrix<Double>) -> Matrix<Double> {
      var x = x
      x[0, 0] = bad
      return x
    }
    return LayerCapture(
      kind: layer.kind, inputs: changed(layer.inputs), outputGradients: layer.outputGradients,
      sampleCount: layer.sampleCount, normalized: layer.normalized.map(changed))
  }

  private static func badGradients(_ layer: LayerCapture<Double>, _ bad: Double) -> LayerCapture<Double> {
    var values = layer.outputGradients.values
    values[0, 0] = bad
    return layer.replacing(.ofMean(values, terms: layer.sampleCount))
  }
}
