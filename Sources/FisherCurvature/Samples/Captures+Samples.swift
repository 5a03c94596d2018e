public import FisherLinearAlgebra

extension Captures {
  /// J·J′ᵀ over all layers of `parameters`, N × N′.
  ///
  /// - Parameters:
  ///   - parameters: by layer, which of its parameters count. Layers without a capture have no rows in J.
  ///   - other: captures of other samples or with other output gradients, for J′; nil for J itself.
  /// - Throws: ``SamplesAreMixed``.
  public func gram<Other>(
    of parameters: [String: LayerParameters], with other: Captures<Scalar, Other>?,
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) throws(SamplesAreMixed) -> Matrix<Double> {
    var K = Matrix<Double>(rows: sampleCount, columns: other?.sampleCount ?? sampleCount)
    for (name, layer) in layers.sorted(by: { $0.key < $1.key }) {
      guard let parameters = parameters[name] else { continue }
      if layer.mixesSamples { throw SamplesAreMixed(layer: name) }
      layer.addGram(of: parameters, with: other?.layers[name], to: &K, on: backend, threads: threads)
    }
    return K
  }

  /// J·Jᵀ over all layers of `parameters`.
  ///
  /// - Throws: ``SamplesAreMixed``.
  public func gram(
    of parameters: [String: LayerParameters], on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) throws(SamplesAreMixed) -> Matrix<Double> {
    try gram(of: parameters, with: Captures?.none, on: backend, threads: threads)
  }

  /// The samples of the batch; 0 without layers.
  public var sampleCount: Int { layers.values.first?.sampleCount ?? 0 }

  /// The same layers with other output gradients, as another kind of captures.
  public func mapGradients<Other: FisherKind>(
    to _: Other.Type, _ change: (LayerCapture<Scalar>) -> OutputGradients<Scalar>
  ) -> Captures<Scalar, Other> {
    Captures<Scalar, Other>(layers.mapValues { $0.replacing(change($0)) })
  }

  /// The batches of all parts, one after the other: what accumulation over micro-batches sees.
  ///
  /// - Precondition: every part has the same layers.
  public static func joined(_ parts: [Captures]) -> Captures {
    guard let first = parts.first, parts.count > 1 else { return parts.first ?? Captures([:]) }
    var layers: [String: LayerCapture<Scalar>] = [:]
    for name in first.layers.keys {
      let pieces = parts.compactMap { $0.layers[name] }
      require(pieces.count == parts.count, "Captures: layer \(name) is missing in a part")
      layers[name] = LayerCapture.joined(pieces)
    }
    return Captures(layers)
  }
}

extension Captures where Kind == Empirical {
  /// The captures of the improved empirical Fisher matrix: every sample's output gradients, in all positions, divided by
  /// ‖∂ℓₙ/∂zₙ‖. A sample that is fitted exactly has zeros and keeps them.
  ///
  /// Any method built from captures has its improved form by reading these: K-FAC, EKFAC, block-diagonal and diagonal
  /// Fisher matrices (Wu et al. 2024, appendix D.2).
  ///
  /// - Parameter outputs: the gradients by the network's outputs, from the same backward pass.
  public func improved(by outputs: OutputGradients<Scalar>) -> Captures<Scalar, Improved> {
    let factors = outputs.squaredNorms(samples: max(1, sampleCount)).map { $0 > 0 ? 1 / $0.squareRoot() : 0 }
    return mapGradients(to: Improved.self) { layer in
      let scaled = layer.outputGradients.scaled(samplesBy: factors)
      // The factors undo the scale of the sum; what remains has no terms to average.
      return .ofSum(
        scaled.ofSum, terms: 1)
    }
  }
}

extension LayerCapture {
  /// The samples of all parts, one after the other, with gradients of the sum of the losses.
  static func joined(_ parts: [LayerCapture]) -> LayerCapture {
    let first = parts[0]
    let samples = parts.reduce(0) { $0 + $1.sampleCount }
    let terms = parts.reduce(0.0) { $0 + $1.outputGradients.scaleToSum / $1.outputGradients.scaleToMean }
    let normalized = parts.compactMap(\.normalized)
    return LayerCapture(
      kind: first.kind, inputs: stack(parts.map(\.inputs)),
      outputGradients: .ofSum(stack(parts.map(\.outputGradients.ofSum)), terms: Int(terms.rounded())),
      sampleCount: samples, normalized: normalized.count == parts.count ? stack(normalized) : nil,
      mixesSamples: parts.contains(where: \.mixesSamples))
  }

  private static func stack(_ parts: [Matrix<Scalar>]) -> Matrix<Scalar> {
    Matrix(parts.flatMap(\.array), rows: parts.reduce(0) { $0 + $1.rows }, columns: parts[0].columns)
  }
}
