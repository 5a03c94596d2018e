public import FisherLinearAlgebra
import FisherRuntime

extension Captures {
  /// The captures of several micro-batches as those of their union, sample after sample.
  ///
  /// - Parameters:
  ///   - parts: those of the micro-batches, in the order of their samples.
  ///   - backend: what brings gradients to one scale.
  /// - Precondition: at least one; all have the same layers with the same kinds and widths.
  public init(concatenating parts: [Captures], on backend: any Backend = NativeBackend()) {
    require(!parts.isEmpty, "Captures: there is nothing to concatenate")
    if parts.count == 1 {
      self = parts[0]
      return
    }
    self.init(
      Dictionary(
        uniqueKeysWithValues: parts[0].layers.keys.map { name in
          (
            name,
            LayerCapture(
              concatenating: parts.map { part in
                guard let layer = part.layers[name], part.layers.count == parts[0].layers.count else {
                  fatalError("Captures: the micro-batches do not have the same layers")
                }
                return layer
              }, on: backend)
          )
        }))
  }
}

extension LayerCapture {
  /// Rows after rows; gradients become those of the sum of all losses.
  fileprivate init(concatenating parts: [LayerCapture], on backend: any Backend) {
    let samples = parts.reduce(0) { $0 + $1.sampleCount }
    // The terms of the mean: samples, or samples × positions.
    let terms = parts.reduce(0.0) { $0 + $1.outputGradients.scaleToSum / $1.outputGradients.scaleToMean }
    let gradients = parts.map { part -> Matrix<Scalar> in
      var s = part.outputGradients.values.compacted()
      if part.outputGradients.scaleToSum != 1 {
        scal(alpha: Scalar(part.outputGradients.scaleToSum), &s, on: backend)
      }
      return s
    }
    require(
      parts.allSatisfy { $0.kind == parts[0].kind && $0.inputs.columns == parts[0].inputs.columns },
      "LayerCapture: micro-batches of different layers: \(parts.map(\.kind))")
    self.init(
      kind: parts[0].kind, inputs: stacked(parts.map(\.inputs)),
      outputGradients: .ofSum(stacked(gradients), terms: Int(terms.rounded())), sampleCount: samples,
      normalized: parts.allSatisfy { $0.normalized != nil } ? stacked(parts.compactMap(\.normalized)) : nil,
      mixesSamples: parts.contains(where: \.mixesSamples))
  }
}

/// Matrices one below the other.
private func stacked<S: KernelScalar>(_ parts: [Matrix<S>]) -> Matrix<S> {
  var all = Matrix<S>(rows: parts.reduce(0) { $0 + $1.rows }, columns: parts[0].columns)
  var row = 0
  for part in parts {
    all[rows: row..<row + part.rows, columns: 0...] = part
    row += part.rows
  }
  return all
}
