/// x ← (x − mean)/deviation, for each channel of an image or each feature of a plain example.
///
/// In double precision, which holds the mean, the square and the reciprocal of the deviation of every `Float`: the result
/// does not depend on the unit of a feature.
public struct Normalization: Sendable, Equatable {
  package let mean: [Double]
  package let scale: [Double]

  init(mean: [Double], scale: [Double]) { (self.mean, self.scale) = (mean, scale) }

  /// From the training examples. A feature that never changes is only shifted.
  package init(_ data: Dataset) {
    if case .rows(let rows) = data.storage {
      self = rows.summary.normalization
      return
    }
    var sums = ChannelSums(data.shape)
    Self.forEach(of: data) { sums.add($0) }
    var squares = ChannelSquares(sums, examples: data.count)
    Self.forEach(of: data) { squares.add($0) }
    self = squares.normalization
  }

  /// From rows of `width` numbers.
  init(_ values: [Float], width: Int) {
    self.init(
      Dataset(name: "", shape: ExampleShape(channels: width), storage: .floats(values), targets: .inputs))
  }

  /// What number of channel or feature `j` became `y`.
  func inverse(_ y: Double, _ j: Int) -> Double { y / scale[j] + mean[j] }

  /// Calls the body with the numbers of each example.
  private static func forEach(of data: Dataset, _ body: (UnsafeBufferPointer<Float>) -> Void) {
    var example = [Float](repeating: 0, count: data.shape.count)
    for i in 0..<data.count {
      example.withUnsafeMutableBufferPointer {
        data.copyExample(i, to: $0)
        body(UnsafeBufferPointer($0))
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
