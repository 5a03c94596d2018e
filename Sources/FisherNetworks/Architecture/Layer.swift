/// One layer of a network, or several in a row: what it is, without weights and without memory.
///
/// The sizes of the input follow from what comes before; only those of the output are said. An activation ``relu`` or
/// ``leakyRelu(slope:)`` behind a linear, convolutional or residual layer is computed at the end of that layer.
public indirect enum Layer: Sendable, Hashable {
  /// x·Wᵀ + b on the last axis; `outputs` features.
  case linear(_ outputs: Int, bias: Bool = true)
  /// A cross-correlation of images with `size` × `size` taps and zero padding; `outputs` channels.
  case convolution(
    _ outputs: Int, size: Int, stride: Int = 1, padding: Int = 0, dilation: Int = 1, groups: Int = 1,
    bias: Bool = true)
  /// A cross-correlation whose taps, strides and zero padding differ down and across; `outputs` channels.
  case rectangularConvolution(
    _ outputs: Int, size: Extent, stride: Extent = 1, padding: Extent = 0, dilation: Int = 1, groups: Int = 1,
    bias: Bool = true)
  /// The largest pixel of every `size` × `size` window; the stride is the size if not given, padding at most half of it.
  case maxPool(_ size: Int, stride: Int? = nil, padding: Int = 0)
  /// The mean of every `size` × `size` window, padding included; the stride is the size if not given, padding at most
  /// half of it.
  case averagePool(_ size: Int, stride: Int? = nil, padding: Int = 0)
  /// The mean of every channel: an image becomes features.
  case globalAveragePool
  /// Channels are brought to mean 0 and variance 1 over the batch, then scaled and shifted. Features or images. ε and
  /// momentum are PyTorch's, 1e-5 and 0.1.
  case batchNorm
  /// ``batchNorm`` with another ε in √(σ² + ε), and momentum m in average ← (1 − m)·average + m·batch.
  case batchNormalization(epsilon: Double = 1e-5, momentum: Double = 0.1)
  /// Each row is brought to mean 0 and variance 1 on the last axis, then scaled and shifted. ε is PyTorch's, 1e-5.
  case layerNorm
  /// ``layerNorm`` with another ε in √(σ² + ε).
  case layerNormalization(epsilon: Double)
  /// Each row is divided by its root mean square on the last axis, then scaled.
  case rmsNorm(epsilon: Double = 1e-6)
  /// Inputs are the numbers of tokens, from 0; each becomes `width` features.
  case embedding(tokens: Int, width: Int)
  /// x·Eᵀ with the table E of the network's ``embedding(tokens:width:)``: one weight for both, which begins with a deviation
  /// of 0.02. Its captures are those of a linear layer with the rows of both; see `LayerCapture.init(lookup:product:)`.
  case unembedding
  /// A learned row of features is added at each position: positions × features.
  case positionEmbedding
  /// Attention among the positions of a sample: 3·width features, which are q, k and v side by side, become width. Every
  /// head has width/heads features of each. Causal: no position sees a later one. Rotary: q and k are turned by
  /// their positions. See ``selfAttention(width:heads:causal:rotary:dropout:attentionDropout:)``.
  case attention(heads: Int, causal: Bool = true, rotary: Bool = false)
  /// ``attention(heads:causal:rotary:)`` that overlooks some positions in training: behind the softmax, each weight becomes 0
  /// with probability `rate`, the others grow by 1/(1 − rate).
  case attentionWithDropout(_ rate: Double, heads: Int, causal: Bool = true, rotary: Bool = false)
  /// Every number x of a sample becomes a position with the features cos 2πkx and sin 2πkx, k = 1 … `frequencies`.
  case fourierFeatures(_ frequencies: Int)
  /// Σₜ wₜ·xₜ over the positions t, feature by feature, with fixed weights, one a position: differences of neighbours, say.
  case stencil(_ weights: [Double])
  /// In training, each element becomes 0 with probability `rate`, the others grow by 1/(1 − rate).
  case dropout(_ rate: Double)
  /// Channels, height and width, or positions and features, become one axis of features.
  case flatten
  /// max(x, 0)
  case relu
  /// x if x > 0, else slope·x.
  case leakyRelu(slope: Double = 0.01)
  case tanh
  /// 1/(1 + e⁻ˣ)
  case sigmoid
  /// x·Φ(x)
  case gelu
  /// ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))): GPT-2's approximation of ``gelu``.
  case geluTanh
  /// x/(1 + e⁻ˣ)
  case silu
  /// On the last axis.
  case softmax
  /// The layers one after another.
  case sequential([Layer])
  /// body(x) + shortcut(x); an empty list is the identity.
  case residual(_ body: [Layer], shortcut: [Layer] = [])
}

extension Layer {
  /// The numbers of its weights and of its output for one sample, about: to notice sizes that are impossible before
  /// anything of such a size is counted in integers.
  func mostNumbers(on shape: SampleShape) -> Double {
    let inputs = Double(shape.axes[0])
    switch self {
    case .linear(let outputs, _): return Double(outputs) * Double(shape.features + shape.positions)
    case .convolution(let outputs, let size, _, _, _, let groups, _):
      return Double(outputs) * (inputs / Double(max(1, groups))) * Double(size) * Double(size)
    case .rectangularConvolution(let outputs, let size, _, _, _, let groups, _):
      return Double(outputs) * (inputs / Double(max(1, groups))) * Double(size.height) * Double(size.width)
    case .embedding(let tokens, let width): return Double(width) * (Double(tokens) + inputs)
    case .unembedding: return Double(shape.positions) * Double(shape.features)
    case .fourierFeatures(let frequencies): return 2 * Double(frequencies) * inputs
    case .positionEmbedding: return Double(shape.positions) * Double(shape.features)
    default: return 0
    }
  }

  /// A rectifier behind it can be computed at its end.
  var takesRectifier: Bool {
    switch self {
    case .linear, .convolution, .rectangularConvolution, .residual: true
    default: false
    }
  }
}
