import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherTraining

/// Draws batches that know everything: captures of the data's labels and of drawn ones, columns of an exact Fisher
/// matrix, gradients by the outputs, and another pass.
struct RandomBatch {
  let samples: Int
  let outputs: Int
  /// Columns of the exact Fisher matrix's root.
  var columns = 2
  /// The names of the layers, in the order in which they are drawn.
  let layers: [String]
  /// Draws a layer's capture; in another pass of the same batch it is given the first, whose inputs stay.
  let capture: (String, LayerCapture<Double>?, inout KeyedGenerator) -> LayerCapture<Double>

  /// - Parameter hessian: products of the Hessian with vectors, from the generator's numbers.
  func draw(
    _ generator: inout KeyedGenerator,
    hessian: (KeyedGenerator) -> PlainObjective<Double>.Hessian = { _ in { $0 } }
  ) -> PlainObjective<Double> {
    func pass<Kind>(_: Kind.Type, _ first: [String: LayerCapture<Double>]?) -> Captures<Double, Kind> {
      var captures: [String: LayerCapture<Double>] = [:]
      for name in layers { captures[name] = capture(name, first?[name], &generator) }
      return Captures(captures)
    }
    let data = pass(Empirical.self, nil)
    let gradients = Matrix<Double>(rows: samples, columns: outputs) { _, _ in generator.uniform() }
    let coefficients = Matrix<Double>(rows: samples, columns: columns) { _, _ in generator.uniform() }
    let sampled = pass(Sampled.self, data.layers)
    let exact = (0..<columns).map { _ in pass(Exact.self, data.layers) }
    // At other weights, whatever they are, it passes what the next batch does.
    let next = generator
    let second = pass(Empirical.self, nil)
    generator = next
    return PlainObjective(
      sampleCount: samples, captures: data, outputGradients: .ofMean(gradients, terms: samples),
      sampled: sampled, exact: ExactFisher(columns: exact, coefficients: coefficients),
      secondPass: { _ in second }, hessian: hessian(next))
  }

  /// Of the dense layers among the parameters, without positions, the samples' inputs and output gradients in [−1, 1).
  static func dense(_ parameters: [ParameterInfo], samples: Int, outputs: Int) -> RandomBatch {
    let weights = parameters.filter { $0.role == .linearWeight }
    return RandomBatch(samples: samples, outputs: outputs, layers: weights.compactMap(\.layer)) {
      layer, first, generator in
      let weight = weights.first { $0.layer == layer }!
      func random(_ columns: Int) -> Matrix<Double> {
        Matrix(rows: samples, columns: columns) { _, _ in generator.uniform() }
      }
      let hasBias = parameters.contains { $0.role == .bias && $0.layer == layer }
      let inputs = first?.inputs ?? random(weight.columns)
      return LayerCapture(
        kind: .linear(hasBias: hasBias), inputs: inputs,
        outputGradients: .ofMean(random(weight.rows), terms: samples), sampleCount: samples)
    }
  }
}
