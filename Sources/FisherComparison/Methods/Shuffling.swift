import FisherKit
import FisherRuntime

extension LayerCapture {
  /// The same layer with its inputs, and its outputs, in another order: the factors keep their eigenvalues, and lose
  /// their axes. Tokens keep their numbers.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  package func shufflingUnits(key: UInt64) -> LayerCapture {
    var generator = KeyedGenerator(23, key)
    let (channels, outputs) = unitCounts
    let order = channels.map { generator.permutation($0) }
    let others = generator.permutation(outputs)
    return LayerCapture(
      kind: kind, inputs: order.map { inputs.permutingColumns($0) } ?? inputs,
      outputGradients: outputGradients.replacing(outputGradients.values.permutingColumns(others)),
      sampleCount: sampleCount,
      normalized: order.flatMap { order in normalized.map { $0.permutingColumns(order) } } ?? normalized,
      mixesSamples: mixesSamples)
  }

  /// Output gradients paired with the inputs of other samples: both sides keep their own second moments, and lose what
  /// they have to do with one another. One order for all layers of a step.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  package func shufflingSamples(step: Int) -> LayerCapture {
    var generator = KeyedGenerator(24, UInt64(step))
    let order = generator.permutation(sampleCount)
    let s = outputGradients.values
    let rows = s.rows / sampleCount
    let shuffled = Matrix<Scalar>(rows: s.rows, columns: s.columns) { i, j in
      s[order[i / rows] * rows + i % rows, j]
    }
    return replacing(outputGradients.replacing(shuffled))
  }

  /// The channels or features on both sides; nil for tokens.
  private var unitCounts: (inputs: Int?, outputs: Int) {
    switch kind {
    case .linear, .layerNorm: (inputs.columns, outputGradients.values.columns)
    case .convolution(let shape, _): (shape.channels, shape.outputs)
    case .batchNorm(let channels, _): (channels, channels)
    case .embedding: (nil, outputGradients.values.columns)
    }
  }
}

extension OutputGradients {
  /// Other values on the same scale.
  func replacing(_ values: Matrix<Scalar>) -> OutputGradients {
    scaleToMean == 1
      ? .ofMean(values, terms: Int(scaleToSum.rounded()))
      : .ofSum(values, terms: Int((1 / scaleToMean).rounded()))
  }
}

extension Matrix {
  /// Blocks of columns, one a channel, in another order.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  func permutingColumns(_ order: [Int]) -> Matrix {
    let area = columns / order.count
    return Matrix(rows: rows, columns: columns) { i, j in self[i, order[j / area] * area + j % area] }
  }
}
