public import FisherLinearAlgebra
import FisherRuntime

/// What kind of layer a capture comes from: decides how its rows and columns are read.
public enum LayerKind: Sendable, Hashable {
  /// Rows are samples × positions, columns are features.
  case linear(hasBias: Bool)
  /// Rows are samples; columns are channels × height × width.
  case convolution(ConvolutionGeometry, hasBias: Bool)
  /// Rows are samples; columns are channels × `area`. The inputs are those before the normalisation.
  case batchNorm(channels: Int, area: Int)
  /// Rows are samples × positions, columns are features. The inputs are those before the normalisation, to mean 0 and
  /// variance 1 or by the root mean square alone: then there is no shift.
  case layerNorm
  /// Rows are samples × positions; the one input column holds the tokens' numbers, from 0 below `tokens`.
  case embedding(tokens: Int)
}

/// What passed through one layer in one forward and backward pass.
public struct LayerCapture<Scalar: KernelScalar>: Sendable {
  public let kind: LayerKind
  /// h: one row a sample and position, without the homogeneous 1 of the bias.
  public let inputs: Matrix<Scalar>
  /// s: one row a sample and position.
  public let outputGradients: OutputGradients<Scalar>
  /// The samples of the batch.
  public let sampleCount: Int
  /// Of a normalisation layer: what its scale γ multiplies, shaped as the inputs; nil if nobody kept it.
  public let normalized: Matrix<Scalar>?
  /// The layer's output for a sample depends on the other samples, as with a batch's own statistics: the gradients of
  /// single samples do not exist.
  public let mixesSamples: Bool

  /// - Precondition: both matrices have a whole number of rows for each sample.
  public init(
    kind: LayerKind, inputs: Matrix<Scalar>, outputGradients: OutputGradients<Scalar>, sampleCount: Int,
    normalized: Matrix<Scalar>? = nil, mixesSamples: Bool = false
  ) {
    require(
      sampleCount >= 1 && inputs.rows % sampleCount == 0 && outputGradients.values.rows == inputs.rows,
      "LayerCapture: inputs \(inputs.rows)×\(inputs.columns) and output gradients "
        + "\(outputGradients.values.rows)×\(outputGradients.values.columns) for \(sampleCount) samples")
    self.kind = kind
    self.inputs = inputs
    self.outputGradients = outputGradients
    self.sampleCount = sampleCount
    self.normalized = normalized
    self.mixesSamples = mixesSamples
  }

  /// The same inputs with other output gradients.
  public func replacing(_ gradients: OutputGradients<Scalar>) -> LayerCapture {
    LayerCapture(
      kind: kind, inputs: inputs, outputGradients: gradients, sampleCount: sampleCount,
      normalized: normalized,
      mixesSamples: mixesSamples)
  }

  /// The rows of a sample: its tokens, say; 1 without a position axis.
  public var positions: Int { inputs.rows / sampleCount }
}

/// The captures of one batch by layer, with the kind of Fisher matrix that they make.
public struct Captures<Scalar: KernelScalar, Kind: FisherKind>: Sendable {
  public let layers: [String: LayerCapture<Scalar>]

  public init(_ layers: [String: LayerCapture<Scalar>]) { self.layers = layers }
}
