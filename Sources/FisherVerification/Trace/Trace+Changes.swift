import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

extension PlainObjective where Scalar == Double {
  /// The same batch with every layer of every pass changed.
  func mapLayers(
    _ change: @escaping @Sendable (LayerCapture<Double>) -> LayerCapture<Double>
  ) -> PlainObjective<Double> { mapNamedLayers { _, capture in change(capture) } }

  /// The same batch with layers changed by their names.
  func mapNamedLayers(
    _ change: @escaping @Sendable (String, LayerCapture<Double>) -> LayerCapture<Double>
  ) -> PlainObjective<Double> {
    @Sendable func map<Kind>(_ captures: Captures<Double, Kind>) -> Captures<Double, Kind> {
      Captures(
        Dictionary(uniqueKeysWithValues: captures.layers.map { ($0.key, change($0.key, $0.value)) }))
    }
    let exact = (try? exactFisher()).map { exact in
      ExactFisher(columns: exact.columns.map { map($0) }, coefficients: exact.coefficients)
    }
    var second: SecondPass?
    if let secondPass { second = { values in map(secondPass(values)) } }
    return PlainObjective(
      loss: loss, sampleCount: sampleCount, captures: captures.map { map($0) },
      outputGradients: outputGradients,
      sampled: (try? sampledCaptures()).map { map($0) }, exact: exact,
      secondPass: second, hessian: hessian)
  }

  /// The same batch with another gradient by the outputs.
  func replacing(outputGradients: OutputGradients<Double>?) -> PlainObjective<Double> {
    PlainObjective(
      loss: loss, sampleCount: sampleCount, captures: captures, outputGradients: outputGradients,
      sampled: try? sampledCaptures(), exact: try? exactFisher(), secondPass: secondPass, hessian: hessian)
  }

  /// The same batch with a multiple of its Hessian.
  func multiplyingHessian(by c: Double) -> PlainObjective<Double> {
    mapHessian { hessian in
      { direction in
        hessian(direction).mapValues {
          Matrix($0.array.map { c * $0 }, rows: $0.rows, columns: $0.columns)
        }
      }
    }
  }

  /// The same batch with another Hessian, if it has one.
  func mapHessian(_ change: (@escaping Hessian) -> Hessian) -> PlainObjective<Double> {
    PlainObjective(
      loss: loss, sampleCount: sampleCount, captures: captures, outputGradients: outputGradients,
      sampled: try? sampledCaptures(), exact: try? exactFisher(), secondPass: secondPass,
      hessian: hessian.map { change($0) })
  }
}

extension OutputGradients where Scalar == Double {
  func multiplied(by factor: Double) -> OutputGradients {
    OutputGradients.ofMean(
      Matrix(values.array.map { $0 * factor }, rows: values.rows, columns: values.columns),
      terms: Int((scaleToSum / scaleToMean).rounded()))
  }
}

extension Trace {
  /// The same run with every number changed: values, gradients and batches.
  func changed(
    value: (ParameterInfo, [Double]) -> [Double], gradient: (ParameterInfo, [Double]) -> [Double],
    batch: (PlainObjective<Double>) -> PlainObjective<Double>
  ) -> Trace {
    Trace(
      parameters: parameters, values: zip(parameters, values).map(value),
      gradients: gradients.map { zip(parameters, $0).map(gradient) }, batches: batches?.map(batch))
  }

  /// The same run with sums of the gradients in their places, as momentum forms them.
  var heavyBall: Trace {
    var sums = gradients[0].map { $0.map { _ in 0.0 } }
    let summed = gradients.map { gradients in
      sums = zip(sums, gradients).map { zip($0, $1).map { 0.5 * $0 + $1 } }
      return sums
    }
    return Trace(parameters: parameters, values: values, gradients: summed, batches: batches)
  }

  /// The first steps.
  func prefix(_ steps: Int) -> Trace {
    Trace(
      parameters: parameters, values: values, gradients: Array(gradients.prefix(steps)),
      batches: batches.map { Array($0.prefix(steps)) })
  }
}
