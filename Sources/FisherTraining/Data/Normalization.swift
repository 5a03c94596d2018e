import Foundation

/// x ← (x − mean)/deviation, for each channel of an image or each feature of a plain example.
public struct Normalization: Sendable, Equatable {
  let mean: [Float]
  let scale: [Float]

  /// From the training examples. A feature that never changes is only shifted.
  init(_ data: Dataset) {
    let channels = data.shape.channels
    let area = data.shape.height * data.shape.width
    var sums = [Double](repeating: 0, count: channels)
    var squares = sums
    var example = [Float](repeating: 0, count: data.shape.count)
    for i in 0..<data.count {
      example.withUnsafeMutableBufferPointer { data.copyExample(i, to: $0) }
      for (j, x) in example.enumerated() {
        sums[j / area] += Double(x)
        squares[j / area] += Double(x) * Double(x)
      }
    }
    let n = Double(max(1, data.count * area))
    mean = sums.map { Float($0 / n) }
    scale = zip(sums, squares).map { sum, square in
      let variance = square / n - (sum / n) * (sum / n)
      return variance > 1e-12 * max(1, square / n) ? Float(1 / variance.squareRoot()) : 1
    }
  }

  func apply(_ example: UnsafeMutableBufferPointer<Float>) {
    let area = example.count / mean.count
    for j in example.indices { example[j] = (example[j] - mean[j / area]) * scale[j / area] }
  }
}
