// What the mean and the deviation of channels are made of, example by example: whoever goes on from the words of somebody who has
// seen the examples before leaves the bits of one who has seen them all.

/// The sum, the least and the greatest number of each channel.
struct ChannelSums {
  private let area: Int
  private(set) var sums: [Double]
  private var lowest, highest: [Float]

  init(_ shape: ExampleShape) {
    area = shape.height * shape.width
    sums = [Double](repeating: 0, count: shape.channels)
    lowest = [Float](repeating: .infinity, count: shape.channels)
    highest = [Float](repeating: -.infinity, count: shape.channels)
  }

  /// Takes in an example.
  mutating func add(_ example: UnsafeBufferPointer<Float>) {
    for channel in sums.indices {
      var (sum, least, most) = (sums[channel], lowest[channel], highest[channel])
      for i in channel * area..<(channel + 1) * area {
        sum += Double(example[i])
        least = min(least, example[i])
        most = max(most, example[i])
      }
      (sums[channel], lowest[channel], highest[channel]) = (sum, least, most)
    }
  }

  /// The numbers of a channel in so many examples.
  func terms(examples: Int) -> Double { Double(max(1, examples * area)) }

  /// The mean of equal numbers is rounded, and need not be their value.
  func mean(examples: Int) -> [Double] {
    sums.indices.map {
      lowest[$0] < highest[$0] ? sums[$0] / terms(examples: examples) : Double(lowest[$0])
    }
  }

  /// All that it has seen, as words.
  var words: [UInt64] {
    get { sums.map(\.bitPattern) + (lowest + highest).map { UInt64($0.bitPattern) } }
    set {
      let count = sums.count
      sums = newValue[..<count].map { Double(bitPattern: $0) }
      let floats = newValue[count...].map { Float(bitPattern: UInt32(truncatingIfNeeded: $0)) }
      (lowest, highest) = (Array(floats[..<count]), Array(floats[count...]))
    }
  }
}

/// The sums of the squares of differences from the mean: the mean of the squares less the square of the mean would lose a small
/// deviation.
struct ChannelSquares {
  private let mean: [Double]
  private let terms: Double
  private var squares: [Double]

  init(_ sums: ChannelSums, examples: Int) {
    mean = sums.mean(examples: examples)
    terms = sums.terms(examples: examples)
    squares = [Double](repeating: 0, count: mean.count)
  }

  /// Takes in an example.
  mutating func add(_ example: UnsafeBufferPointer<Float>) {
    let area = example.count / mean.count
    for channel in mean.indices {
      var sum = squares[channel]
      for i in channel * area..<(channel + 1) * area {
        let difference = Double(example[i]) - mean[channel]
        sum += difference * difference
      }
      squares[channel] = sum
    }
  }

  var normalization: Normalization {
    Normalization(mean: mean, scale: squares.map { $0 > 0 ? 1 / ($0 / terms).squareRoot() : 1 })
  }

  /// All that it has seen, as words.
  var words: [UInt64] {
    get { squares.map(\.bitPattern) }
    set { squares = newValue.map { Double(bitPattern: $0) } }
  }
}
