public import FisherLinearAlgebra

/// What kind of layer a capture comes from: decides how its rows and columns are read.
public enum LayerKind: Sendable, Hashable {
  /// Rows are samples × positions, columns are features.
  case linear(hasBias: Bool)
  /// Rows are samples; columns are channels × height × width.
  case convolution(ConvolutionGeometry, hasBias: Bool)
  /// Rows are samples; columns are channels × `area`. The inputs are those before the normalisation.
  case batchNorm(channels: Int, area: Int)
  /// Rows are samples × positions, columns are features. The inputs are those before the normalisation.
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

  /// - Precondition: both matrices have a whole number of rows for each sample.
  public init(
    kind: LayerKind, inputs: Matrix<Scalar>, outputGradients: OutputGradients<Scalar>, sampleCount: Int
  ) {
    require(
      sampleCount >= 1 && inputs.rows % sampleCount == 0 && outputGradients.values.rows == inputs.rows,
      "LayerCapture: inputs \(inputs.rows)×\(inputs.columns) and output gradients "
        + "\(outputGradients.values.rows)×\(outputGradients.values.columns) for \(sampleCount) samples")
    self.kind = kind
    self.inputs = inputs
    self.outputGradients = outputGradients
    self.sampleCount = sampleCount
  }

  /// The rows of a sample: its tokens, say; 1 without a position axis.
  public var positions: Int { inputs.rows / sampleCount }
}

/// The captures of one batch by layer, with the kind of Fisher matrix that they make.
public struct Captures<Scalar: KernelScalar, Kind: FisherKind>: Sendable {
  public let layers: [String: LayerCapture<Scalar>]

  public init(_ layers: [String: LayerCapture<Scalar>]) { self.layers = layers }
}
