import FisherDistributed
import FisherLinearAlgebra
import FisherOptimizers
import FisherRuntime

/// The sums of gradients over shards, in buckets, while the backward pass of each rank's last shard goes on.
///
/// A bucket is a run of parameters of at least so many bytes. Gradients are complete from the last parameter to the first, so
/// the buckets come in that order on every rank. Each number is summed by itself, so they change no bit.
final class OverlappedSum<Scalar: KernelScalar> {
  private let sum: ShardSum<Scalar>
  private let thread: CommunicationThread
  private let leastCount: Int
  /// What the gradients of the last shard are multiplied with, one after the other.
  private let factors: (toMean: Scalar, weight: Scalar)
  /// Gradients that wait for their bucket, the last parameter's first.
  private var waiting: [UnsafeMutableBufferPointer<Scalar>] = []
  /// Numbers from here on have been handed over.
  private var end: Int

  /// - Parameters:
  ///   - sum: with all shards of this rank but the last; its gradients are the last list.
  ///   - count: all numbers of a shard.
  ///   - toMean: from the gradients of the last shard's loss to those of its mean.
  ///   - weight: of the last shard.
  ///   - bucketBytes: the least of a bucket.
  init(
    _ sum: ShardSum<Scalar>, count: Int, toMean: Double, weight: Double, on thread: CommunicationThread,
    bucketBytes: Int
  ) {
    (self.sum, self.thread, end) = (sum, thread, count)
    factors = (Scalar(toMean), Scalar(weight))
    leastCount = max(1, bucketBytes / MemoryLayout<Scalar>.stride)
  }

  /// Takes on the last shard's gradient of the parameter before, which becomes the sum over all shards.
  func add(_ gradient: UnsafeMutableBufferPointer<Scalar>) {
    waiting.append(gradient)
    if waiting.reduce(0, { $0 + $1.count }) >= leastCount { send() }
  }

  /// Sums up what is left, the running averages with it, and waits for everything.
  ///
  /// - Parameters:
  ///   - statistics: of the last shard, the first list; they become the sums.
  ///   - weight: of the last shard.
  /// - Throws: `StepRefusal` if the ranks cannot go on.
  func finish(_ statistics: inout [Matrix<Scalar>], weight: Double) throws(StepRefusal) {
    var places: [UnsafeMutableBufferPointer<Scalar>] = []
    for i in statistics.indices {
      // Nobody else has the list, and it stays where it is until the thread is done.
      places.append(
        statistics[i].withMutableSpan { span in span.withUnsafeMutableBufferPointer { $0 } })
    }
    if !waiting.isEmpty || !places.isEmpty { send(places, Scalar(weight)) }
    try thread.wait()
    withExtendedLifetime(statistics) {}
  }

  /// Hands over what waits, and before it the running averages.
  private func send(_ averages: [UnsafeMutableBufferPointer<Scalar>] = [], _ weight: Scalar = 1) {
    let gradients = Array(waiting.reversed())
    waiting = []
    let places = averages + gradients
    let part = end - places.reduce(0) { $0 + $1.count }..<end
    end = part.lowerBound
    let (sum, factors) = (sum, factors)
    thread.run(else: ()) { () throws(StepRefusal) in
      try sum.total(
        part,
        last: { target in
          var start = 0
          for (i, place) in places.enumerated() {
            var own = target._mutatingExtracting(start..<start + place.count)
            if i < averages.count {
              ShardSum.scale(place.span, by: weight, to: &own)
            } else {
              scale(place.span, by: factors, to: &own)
            }
            start += place.count
          }
        },
        read: { sums in
          var start = 0
          for place in places {
            var target = place.mutableSpan
            target.copy(sums.extracting(start..<start + place.count))
            start += place.count
          }
        })
    }
  }
}

/// Two roundings, as if the first product had been stored.
@specialized(where S == Float) @specialized(where S == Double)
private func scale<S: KernelScalar>(
  _ source: Span<S>, by factors: (toMean: S, weight: S), to target: inout MutableSpan<S>
) {
  source.withUnsafeBufferPointer { source in
    target.withUnsafeMutableBufferPointer { target in
      for i in source.indices { target[i] = factors.weight * (factors.toMean * source[i]) }
    }
  }
}
