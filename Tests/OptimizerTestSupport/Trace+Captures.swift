import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherTestSupport

/// What a layer of a trace looks like: enough to draw a random capture of it.
struct CaptureShape {
  let kind: LayerKind
  let inputs: Int
  let outputs: Int
  /// Rows of a sample.
  var positions = 1

  /// Three samples in [−1, 1), exact in `Float`; the gradients are those of a mean loss.
  func capture(_ generator: inout Generator) -> LayerCapture<Double> {
    let samples = 3
    let rows = samples * positions
    let h = Matrix<Double>(rows: rows, columns: inputs) { _, _ in
      if case .embedding(let tokens) = kind { return Double(Int.random(in: 0..<tokens, using: &generator)) }
      return Double(generator.uniform() as Float)
    }
    let s = Matrix<Double>(rows: rows, columns: outputs) { _, _ in Double(generator.uniform() as Float) }
    return LayerCapture(
      kind: kind, inputs: h, outputGradients: .ofMean(s, terms: samples), sampleCount: samples)
  }
}

extension Trace {
  /// A layer for every layer name among the parameters: positions, strides and padding where the kind allows them.
  static func kinds(of parameters: [ParameterInfo]) -> [String: CaptureShape] {
    let named = Dictionary(grouping: parameters.filter { $0.layer != nil }, by: { $0.layer! })
    return named.compactMapValues { group in
      let hasBias = group.contains { $0.role == .bias }
      guard let weight = group.first(where: { $0.role != .bias && $0.role != .normShift }) else { return nil }
      let width = weight.columns
      switch weight.role {
      case .linearWeight:
        return CaptureShape(
          kind: .linear(hasBias: hasBias), inputs: width, outputs: weight.rows, positions: 2)
      case .convolutionWeight:
        let shape = ConvolutionGeometry(
          channels: weight.shape[1], height: 5, width: 4, outputs: weight.shape[0],
          kernelHeight: weight.shape[2], kernelWidth: weight.shape[3], stride: 2, padding: 1)
        return CaptureShape(
          kind: .convolution(shape, hasBias: hasBias), inputs: shape.channels * 20,
          outputs: shape.outputs * shape.positions)
      case .normScale where weight.name.hasPrefix("l"):
        return CaptureShape(kind: .layerNorm, inputs: width, outputs: width, positions: 2)
      case .normScale:
        return CaptureShape(
          kind: .batchNorm(channels: width, area: 4), inputs: 4 * width, outputs: 4 * width)
      case .embedding:
        return CaptureShape(
          kind: .embedding(tokens: weight.rows), inputs: 1, outputs: width, positions: 4)
      case .bias, .normShift, .plain: return nil
      }
    }
  }
}
