public import FisherLinearAlgebra

/// A batch whose samples have no gradients of their own.
public struct SamplesAreMixed: Error, Equatable, CustomStringConvertible {
  public let layer: String

  public init(layer: String) { self.layer = layer }

  public var description: String {
    "layer \(layer) normalises with the statistics of the batch, so samples have no gradients of their own; "
      + "freeze the statistics (evaluation mode), or use a layer norm"
  }
}

// J is the matrix with a row ∇ℓₙ for every sample, by the chosen parameters of one layer, of the sum of the losses. It
// is never formed where that is longer than its factors (Goodfellow 2015; Wu et al. 2024, section 3).
extension LayerCapture {
  /// K ← K + J·J′ᵀ.
  ///
  /// - Parameters:
  ///   - parameters: those that count.
  ///   - other: the same layer with other samples or output gradients, for J′; nil for J itself.
  ///   - K: as many rows as samples here, as many columns as samples there.
  public func addGram(
    of parameters: LayerParameters = .all, with other: LayerCapture? = nil, to K: inout Matrix<Double>,
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) {
    let partner = other ?? self
    require(
      K.rows == sampleCount && K.columns == partner.sampleCount && kind == partner.kind,
      "LayerCapture: the Gram matrix of \(sampleCount) and \(partner.sampleCount) samples is not \(K.rows)×\(K.columns)"
    )
    let context = GramContext(backend: backend, threads: threads)
    let scale = outputGradients.scaleToSum * partner.outputGradients.scaleToSum
    let wantsBias = parameters.contains(.bias) && hasBias
    var biasIsDone = false
    if parameters.contains(.weight) {
      // With one position, the bias is one more input that is always 1.
      biasIsDone = wantsBias && isOneProduct && partner.isOneProduct
      weightGradients(threads: threads).addGram(
        with: other?.weightGradients(threads: threads), scale: scale, plusBias: biasIsDone, to: &K, context)
    }
    if wantsBias && !biasIsDone {
      SampleGradients.rows(biasGradients()).addGram(
        with: other.map { .rows($0.biasGradients()) }, scale: scale, plusBias: false, to: &K, context)
    }
  }

  /// Jᵀ·w, the gradient of Σₙ wₙ·ℓₙ: by the weight (output × input, tokens × width, or one row) and by the bias.
  ///
  /// - Parameter w: a number for each sample.
  public func gradients(
    weighting w: [Double], of parameters: LayerParameters = .all, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) -> (weight: Matrix<Scalar>?, bias: Matrix<Scalar>?) {
    require(w.count == sampleCount, "LayerCapture: \(w.count) weights for \(sampleCount) samples")
    let context = GramContext(backend: backend, threads: threads)
    let w = w.map { $0 * outputGradients.scaleToSum }
    let weight =
      parameters.contains(.weight)
      ? weightGradients(threads: threads).weightedSum(w, rows: weightRows, context) : nil
    let bias =
      parameters.contains(.bias) && hasBias
      ? SampleGradients.rows(biasGradients()).weightedSum(w, rows: 1, context) : nil
    return (weight, bias)
  }

  /// ‖∇ℓₙ‖² for every sample: the diagonal of J·Jᵀ.
  public func squaredGradientNorms(
    of parameters: LayerParameters = .all, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) -> [Double] {
    let context = GramContext(backend: backend, threads: threads)
    let scale = outputGradients.scaleToSum * outputGradients.scaleToSum
    var norms = [Double](repeating: 0, count: sampleCount)
    func add(_ gradients: SampleGradients<Scalar>) {
      for (n, value) in gradients.squaredNorms(context).enumerated() { norms[n] += scale * value }
    }
    if parameters.contains(.weight) { add(weightGradients(threads: threads)) }
    if parameters.contains(.bias) && hasBias { add(.rows(biasGradients())) }
    return norms
  }

  /// There is a bias, or a shift.
  public var hasBias: Bool {
    switch kind {
    case .linear(let hasBias), .convolution(_, let hasBias): return hasBias
    case .batchNorm, .layerNorm: return true
    case .embedding: return false
    }
  }

  private var isOneProduct: Bool {
    if case .linear = kind { return positions == 1 }
    return false
  }

  var weightRows: Int {
    switch kind {
    case .linear: return outputGradients.values.columns
    case .convolution(let shape, _): return shape.outputs
    case .embedding(let tokens): return tokens
    case .batchNorm, .layerNorm: return 1
    }
  }
}
