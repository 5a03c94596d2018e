public import FisherLinearAlgebra
import FisherRuntime

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
  ///   - backend: what carries out the products.
  ///   - threads: the most threads to use.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
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
  /// - Parameters:
  ///   - w: a number for each sample.
  ///   - parameters: those whose gradients are wanted.
  ///   - backend: what carries out the products.
  ///   - threads: the most threads to use.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func gradients(
    weighting w: [Double], of parameters: LayerParameters = .all, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) -> (weight: Matrix<Scalar>?, bias: Matrix<Scalar>?) {
    require(w.count == sampleCount, "LayerCapture: \(w.count) weights for \(sampleCount) samples")
    var (weight, bias): (Matrix<Scalar>?, Matrix<Scalar>?)
    if parameters.contains(.weight) {
      var sum = Matrix<Scalar>(rows: weightRows, columns: weightColumns)
      weightGradient(weighting: w, into: &sum, on: backend, threads: threads)
      weight = sum
    }
    if parameters.contains(.bias) && hasBias {
      let rows = biasGradients()
      var sum = Matrix<Scalar>(rows: 1, columns: rows.columns)
      SampleGradients.rows(rows).weightedSum(
        w.map { $0 * outputGradients.scaleToSum }, into: &sum,
        GramContext(backend: backend, threads: threads))
      bias = sum
    }
    return (weight, bias)
  }

  /// The gradient of Σₙ wₙ·ℓₙ by the weight, in memory of the caller.
  ///
  /// - Parameters:
  ///   - w: a number for each sample.
  ///   - sum: ``weightRows`` × ``weightColumns``; overwritten.
  ///   - backend: what carries out the products.
  ///   - threads: the most threads to use.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func weightGradient(
    weighting w: [Double], into sum: inout Matrix<Scalar>, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) {
    require(
      w.count == sampleCount && sum.rows == weightRows && sum.columns == weightColumns,
      "LayerCapture: \(w.count) weights for \(sampleCount) samples, and a target of \(sum.rows)×\(sum.columns) "
        + "for \(weightRows)×\(weightColumns)")
    weightGradients(threads: threads).weightedSum(
      w.map { $0 * outputGradients.scaleToSum }, into: &sum,
      GramContext(backend: backend, threads: threads))
  }

  /// ‖∇ℓₙ‖² for every sample: the diagonal of J·Jᵀ.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
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

  var isOneProduct: Bool {
    if case .linear = kind { return positions == 1 }
    return false
  }

  /// The rows of the weight's gradient: outputs, tokens, or 1 for a normalisation.
  public var weightRows: Int {
    switch kind {
    case .linear: return outputGradients.values.columns
    case .convolution(let shape, _): return shape.outputs
    case .embedding(let tokens): return tokens
    case .batchNorm, .layerNorm: return 1
    }
  }

  /// The columns of the weight's gradient: inputs, the elements of a patch, the width of an embedding, or the features or
  /// channels of a normalisation.
  public var weightColumns: Int {
    switch kind {
    case .linear, .layerNorm: return inputs.columns
    case .convolution(let shape, _): return shape.patchSize
    case .embedding: return outputGradients.values.columns
    case .batchNorm(let channels, _): return channels
    }
  }
}
