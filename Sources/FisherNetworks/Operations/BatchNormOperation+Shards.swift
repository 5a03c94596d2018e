import FisherLinearAlgebra

// A batch that was cut into shards is normalised as a whole: μ and σ² are merged from those of the shards, and the sums of
// the backward pass are added up over them.

extension BatchNormOperation: BatchOperation {
  /// μ, σ² and the scale of every channel.
  func forwardNumbers(_ call: NodeCall<Scalar>) -> [Double] {
    numbers(3, call) { c, elements, place in
      let moments = Self.moments(call.input.base + c * area, elements)
      (place[0], place[1], place[2]) = (moments.mean, moments.variance, moments.scale)
    }
  }

  func forward(_ call: NodeCall<Scalar>, _ shards: [BatchShard]) {
    forEachChannel(call) { c, elements in
      normalize(
        call, c, elements,
        Moments(
          shards.map { shard in
            let (numbers, i) = (shard.numbers, shard.numbers.startIndex + 3 * c)
            return (
              Moments(mean: numbers[i], variance: numbers[i + 1], scale: numbers[i + 2]),
              Double(shard.samples) / Double(call.batchSamples)
            )
          }))
    }
  }

  /// Σ dy and Σ dy·x̂ of every channel.
  func backwardNumbers(_ call: NodeCall<Scalar>) -> [Double] {
    numbers(2, call) { c, elements, place in
      let sums = channel(c, call).sums(UnsafePointer(call.outputGradient.base) + c * area, elements)
      (place[0], place[1]) = (sums.plain, sums.product)
    }
  }

  func backward(_ call: NodeCall<Scalar>, own: [Double], sums: [Double]) {
    forEachChannel(call) { c, elements in
      propagate(
        call, c, elements, own: (own[2 * c], own[2 * c + 1]), batch: (sums[2 * c], sums[2 * c + 1]))
    }
  }

  /// So many numbers of each channel.
  private func numbers(
    _ count: Int, _ call: NodeCall<Scalar>,
    _ write: (Int, ChannelElements, UnsafeMutablePointer<Double>) -> Void
  ) -> [Double] {
    var numbers = [Double](repeating: 0, count: count * channels)
    numbers.withUnsafeMutableBufferPointer { numbers in
      // Each channel writes its own.
      nonisolated(unsafe) let base = numbers.baseAddress!
      forEachChannel(call) { c, elements in write(c, elements, base + count * c) }
    }
    return numbers
  }
}
