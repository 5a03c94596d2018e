import FisherCurvature
import FisherLinearAlgebra

extension Rectifier {
  /// The activation that a layer is, if it can be the end of another: with a slope below 0 the output would not tell the
  /// derivative.
  init?(_ layer: Layer) {
    switch layer {
    case .relu: slope = 0
    case .leakyRelu(let given) where given >= 0: slope = Scalar(given)
    default: return nil
    }
  }
}

extension Layer {
  /// What the layer does to samples of `shape`, and the shape of its output.
  ///
  /// - Throws: ``NetworkError/shape(layer:wanted:got:)``.
  func operation<S: KernelScalar>(
    on shape: SampleShape, _ rectifier: Rectifier<S>, name: String
  ) throws(NetworkError) -> (any Operation<S>, SampleShape) {
    func reject(_ wanted: String) -> NetworkError { .shape(layer: name, wanted: wanted, got: shape) }
    let elementwise: ElementwiseFunction
    switch self {
    case .linear(let outputs, let bias):
      if shape.isImage || outputs < 1 { throw reject("features, after flatten, and at least one output") }
      let operation = LinearOperation<S>(
        inputs: shape.features, outputs: outputs, positions: shape.positions, hasBias: bias,
        rectifier: rectifier)
      return (operation, SampleShape(shape.axes.dropLast() + [outputs]))
    case .convolution(let outputs, let size, let stride, let padding, let dilation, let groups, let bias):
      return try Layer.rectangularConvolution(
        outputs, size: Extent(height: size, width: size), stride: Extent(height: stride, width: stride),
        padding: Extent(height: padding, width: padding), dilation: dilation, groups: groups, bias: bias
      ).operation(on: shape, rectifier, name: name)
    case .rectangularConvolution(
      let outputs, let size, let stride, let padding, let dilation, let groups, let bias):
      let least = min(outputs, size.height, size.width, stride.height, stride.width, dilation, groups)
      let fits =
        shape.isImage && least >= 1 && min(padding.height, padding.width) >= 0
        && shape.axes[0] % groups == 0 && outputs % groups == 0
        && shape.axes[1] + 2 * padding.height > dilation * (size.height - 1)
        && shape.axes[2] + 2 * padding.width > dilation * (size.width - 1)
      if !fits {
        let around = padding.height == padding.width ? "\(padding.height)" : "\(padding)"
        throw reject(
          "images of at least \(size) with padding \(around), and \(groups) groups that divide the channels")
      }
      let geometry = ConvolutionGeometry(
        channels: shape.axes[0], height: shape.axes[1], width: shape.axes[2], outputs: outputs,
        kernelHeight: size.height, kernelWidth: size.width, stride: stride.height, padding: padding.height,
        dilation: dilation, groups: groups, strideAcross: stride.width, paddingAcross: padding.width)
      let operation = ConvolutionOperation<S>(geometry: geometry, hasBias: bias, rectifier: rectifier)
      return (operation, [outputs, geometry.outputHeight, geometry.outputWidth])
    case .maxPool(let size, let stride, let padding), .averagePool(let size, let stride, let padding):
      let fits =
        shape.isImage && size >= 1 && (stride ?? 1) >= 1 && 0...size / 2 ~= padding
        && min(shape.axes[1], shape.axes[2]) + 2 * padding >= size
      if !fits { throw reject("images of at least \(size)×\(size), padding at most half of that") }
      let geometry = pooling(shape, size, size, stride: stride ?? size, padding: padding)
      return (
        PoolOperation<S>(reduction: isMaximum ? .maximum : .mean, geometry: geometry),
        [shape.axes[0], geometry.outputHeight, geometry.outputWidth]
      )
    case .globalAveragePool:
      if !shape.isImage { throw reject("images") }
      let geometry = pooling(shape, shape.axes[1], shape.axes[2], stride: 1, padding: 0)
      return (PoolOperation<S>(reduction: .mean, geometry: geometry), [shape.axes[0]])
    case .batchNorm:
      return try Layer.batchNormalization().operation(on: shape, rectifier, name: name)
    case .batchNormalization(let ε, let momentum):
      if shape.axes.count == 2 { throw reject("features or images") }
      if !(ε >= 0 && 0...1 ~= momentum) {
        throw reject("ε ≥ 0, not \(ε), and a momentum in 0 … 1, not \(momentum)")
      }
      let channels = shape.axes[0]
      return (
        BatchNormOperation<S>(channels: channels, area: shape.count / channels, ε: ε, momentum: momentum),
        shape
      )
    case .layerNorm:
      return try Layer.layerNormalization(epsilon: 1e-5).operation(on: shape, rectifier, name: name)
    case .layerNormalization(let ε), .rmsNorm(let ε):
      if shape.isImage { throw reject("features, after flatten") }
      if !(ε >= 0) { throw reject("ε ≥ 0, not \(ε)") }
      let operation = LayerNormOperation<S>(
        features: shape.features, positions: shape.positions, ε: ε, isCentered: isCentered)
      return (operation, shape)
    case .positionEmbedding:
      if shape.axes.count != 2 { throw reject("positions × features") }
      return (PositionOperation<S>(positions: shape.positions, width: shape.features), shape)
    case .fourierFeatures(let frequencies):
      if shape.axes.count != 1 || frequencies < 1 { throw reject("one axis of numbers, and a frequency") }
      return (FourierOperation<S>(frequencies: frequencies), [shape.count, 2 * frequencies])
    case .stencil(let weights):
      if shape.axes.count != 2 || weights.count != shape.positions {
        throw reject("\(weights.count) positions × features")
      }
      return (StencilOperation<S>(weights: weights.map { S($0) }, features: shape.features), [shape.features])
    case .attention(let heads, let isCausal, let isRotary):
      return try Layer.attentionWithDropout(0, heads: heads, causal: isCausal, rotary: isRotary)
        .operation(on: shape, rectifier, name: name)
    case .attentionWithDropout(let rate, let heads, let isCausal, let isRotary):
      let (positions, width) = (shape.positions, shape.features / 3)
      let fits =
        shape.axes.count == 2 && heads >= 1 && shape.features % 3 == 0 && width % heads == 0
        && (!isRotary || width / heads % 2 == 0)
      if !fits {
        throw reject(
          "positions × features that are q, k and v of \(heads) heads"
            + (isRotary ? ", each of an even number of features" : ""))
      }
      if !(0..<1 ~= rate) { throw reject("a rate in 0 ..< 1, not \(rate)") }
      let rotation = isRotary ? RotaryPositions<S>(positions: positions, size: width / heads) : nil
      let operation = AttentionOperation<S>(
        heads: heads, width: width, positions: positions, isCausal: isCausal, rotation: rotation,
        dropRate: rate)
      return (operation, [positions, width])
    case .embedding(let tokens, let width):
      if shape.axes.count != 1 || min(tokens, width) < 1 {
        throw reject("one axis of tokens, and sizes of at least 1")
      }
      return (
        EmbeddingOperation<S>(tokens: tokens, width: width, positions: shape.count), [shape.count, width]
      )
    case .dropout(let rate):
      if !(0..<1 ~= rate) { throw reject("a rate in 0 ..< 1, not \(rate)") }
      return (DropoutOperation<S>(rate: rate), shape)
    case .softmax:
      if shape.isImage { throw reject("features, after flatten") }
      return (SoftmaxOperation<S>(features: shape.features), shape)
    case .relu: return (RectifierOperation<S>(slope: 0), shape)
    case .leakyRelu(let slope): return (RectifierOperation<S>(slope: S(slope)), shape)
    case .tanh: elementwise = .tanh
    case .sigmoid: elementwise = .sigmoid
    case .gelu: elementwise = .gelu
    case .geluTanh: return (GeluTanhOperation<S>(), shape)
    case .silu: elementwise = .silu
    case .flatten, .sequential, .residual, .unembedding:
      fatalError("\(name) is no operation")
    }
    return (FunctionOperation<S>(function: elementwise), shape)
  }

  private var isCentered: Bool {
    if case .rmsNorm = self { return false }
    return true
  }

  private var isMaximum: Bool {
    if case .maxPool = self { return true }
    return false
  }

  private func pooling(
    _ shape: SampleShape, _ height: Int, _ width: Int, stride: Int, padding: Int
  ) -> ConvolutionGeometry {
    ConvolutionGeometry(
      channels: shape.axes[0], height: shape.axes[1], width: shape.axes[2], outputs: shape.axes[0],
      kernelHeight: height, kernelWidth: width, stride: stride, padding: padding)
  }
}
