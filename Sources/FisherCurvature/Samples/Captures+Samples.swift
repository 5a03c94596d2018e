public import FisherLinearAlgebra
import FisherRuntime

extension Captures {
  /// J·J′ᵀ over all layers of `parameters`, N × N′.
  ///
  /// - Parameters:
  ///   - parameters: by layer, which of its parameters count. Layers without a capture have no rows in J.
  ///   - other: captures of other samples or with other output gradients, for J′; nil for J itself.
  ///   - backend: what carries out the products.
  ///   - threads: the most threads to use.
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
      // The factors undo the scale of the sum; what remains has no terms to average.
      .ofSum(layer.outputGradients.scaled(samplesBy: factors).ofSum, terms: 1)
    }
  }
}
