extension Layer {
  /// Multi-head self-attention on positions × width (Vaswani et al. 2017): q, k and v from one linear layer, attention,
  /// and a linear layer that mixes the heads.
  ///
  /// - Parameters:
  ///   - width: features at each position, in and out; divisible by the heads.
  ///   - heads: how many, each with width/heads features.
  ///   - causal: no position sees a later one.
  ///   - rotary: q and k are turned by their positions (Su et al. 2021), so that nothing else has to tell them.
  ///   - dropout: the rate behind it, in training.
  ///   - attentionDropout: the rate of the weights of the positions, in training.
  public static func selfAttention(
    width: Int, heads: Int, causal: Bool = true, rotary: Bool = false, dropout: Double = 0,
    attentionDropout: Double = 0
  ) -> Layer {
    let attention: Layer =
      attentionDropout == 0
      ? .attention(heads: heads, causal: causal, rotary: rotary)
      : .attentionWithDropout(attentionDropout, heads: heads, causal: causal, rotary: rotary)
    return .sequential(
      [.linear(3 * width), attention, .linear(width)] + (dropout > 0 ? [.dropout(dropout)] : []))
  }

  /// A transformer block with the norm before (Xiong et al. 2020): x + attention(norm(x)), then x + mlp(norm(x)).
  ///
  /// - Parameters:
  ///   - width: features at each position, in and out; divisible by the heads.
  ///   - heads: how many, each with width/heads features.
  ///   - hidden: the features inside of the perceptron; four times the width if not given.
  ///   - causal: no position sees a later one.
  ///   - rotary: q and k are turned by their positions.
  ///   - norm: ``layerNorm``, or ``rmsNorm(epsilon:)``.
  ///   - activation: ``gelu``, ``geluTanh``, or any other.
  ///   - dropout: the rate at the end of both branches, in training.
  ///   - attentionDropout: the rate of the weights of the positions, in training.
  public static func transformerBlock(
    width: Int, heads: Int, hidden: Int? = nil, causal: Bool = true, rotary: Bool = false,
    norm: Layer = .layerNorm, activation: Layer = .gelu, dropout: Double = 0,
    attentionDropout: Double = 0
  ) -> Layer {
    let attention = selfAttention(
      width: width, heads: heads, causal: causal, rotary: rotary, dropout: dropout,
      attentionDropout: attentionDropout)
    let end: [Layer] = dropout > 0 ? [.dropout(dropout)] : []
    return .sequential([
      .residual([norm, attention]),
      .residual([norm, .linear(hidden ?? 4 * width), activation, .linear(width)] + end),
    ])
  }
}
