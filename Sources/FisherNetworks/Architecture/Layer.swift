/// One layer of a network, or several in a row: what it is, without weights and without memory.
///
/// The sizes of the input follow from what comes before; only those of the output are said.
public indirect enum Layer: Sendable, Hashable {
  /// x·Wᵀ + b on the last axis; `outputs` features.
  case linear(_ outputs: Int, bias: Bool = true)
  /// max(x, 0). Fused into a linear or convolutional layer before it.
  case relu
  /// x if x > 0, else slope·x. Fused as ``relu`` is if the slope is positive.
  case leakyRelu(slope: Double = 0.01)
  /// Channels, height and width become one axis of features.
  case flatten
  /// The layers one after another.
  case sequential([Layer])
}
