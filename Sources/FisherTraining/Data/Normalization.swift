/// x ← (x − mean)/deviation, for each channel of an image or each feature of a plain example.
///
/// In double precision, which holds the mean, the square and the reciprocal of the deviation of every `Float`: the result
/// does not depend on the unit of a feature.
public struct Normalization: Sendable, Equatable {
  package let mean: [Double]
  package let scale: [Double]

  /// From the training examples. A feature that never changes is only shifted.
  package init(_ data: Dataset) {
    let channels = data.shape.channels
    let n = Double(max(1, data.count * data.shape.height * data.shape.width))
    var sums = [Double](repeating: 0, count: channels)
    var lowest = [Float](repeating: .infinity, count: channels)
    var highest = [Float](repeating: -.infinity, count: channels)
    Self.forEach(of: data) { channel, x in
      sums[channel] += Double(x)
      lowest[channel] = min(lowest[channel], x)
      highest[channel] = max(highest[channel], x)
    }
    // The mean of equal numbers is rounded, and need not be their value.
    let mean = (0..<channels).map { lowest[$0] < highest[$0] ? sums[$0] / n : Double(lowest[$0]) }
    // From the differences: the mean of the squares less the square of the mean would lose a small deviation.
    var squares = [Double](repeating: 0, count: channels)
    Self.forEach(of: data) { channel, x in
      let difference = Double(x) - mean[channel]
      squares[channel] += difference * difference
    }
    self.mean = mean
    scale = squares.map { $0 > 0 ? 1 / ($0 / n).squareRoot() : 1 }
  }

  /// From rows of `width` numbers.
  init(_ values: [Float], width: Int) {
    self.init(
      Dataset(name: "", shape: ExampleShape(channels: width), storage: .floats(values), targets: .inputs))
  }

  /// What number of channel or feature `j` became `y`.
  func inverse(_ y: Double, _ j: Int) -> Double { y / scale[j] + mean[j] }

  /// Calls the body with the channel and the number, for all numbers of all examples.
  private static func forEach(of data: Dataset, _ body: (_ channel: Int, _ x: Float) -> Void) {
    let area = data.shape.height * data.shape.width
    var example = [Float](repeating: 0, count: data.shape.count)
    for i in 0..<data.count {
      example.withUnsafeMutableBufferPointer { data.copyExample(i, to: $0) }
      for channel in 0..<data.shape.channels {
        for j in channel * area..<(channel + 1) * area { body(channel, example[j]) }
      }
    }
  }

  func apply(_ example: UnsafeMutableBufferPointer<Float>) {
    let area = example.count / mean.count
    for j in example.indices {
      example[j] = Float((Double(example[j]) - mean[j / area]) * scale[j / area])
    }
  }
}
