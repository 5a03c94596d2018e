import FisherDistributed
import FisherOptimizers
import FisherRuntime

extension ShardedBatch: ShardSums {
  func total<Number: BitwiseCopyable & AdditiveArithmetic & Sendable>(
    own count: Int, pieces: Int, _ append: (_ shard: Int, _ piece: Int, _ numbers: inout [Number]) -> Void
  ) throws(StepRefusal) -> [Number] {
    if let overlap, pieces > 1 { return try total(own: count, pieces: pieces, beside: overlap, append) }
    func vector(_ shard: Int) -> [Number] {
      var numbers: [Number] = []
      for piece in 0..<pieces { append(shard, piece, &numbers) }
      return numbers
    }
    var accumulator = TreeAccumulator<Number>(tree, rank: communicator.rank)
    for i in 0..<count - 1 { accumulator.add(vector(i)) }
    return try total(accumulator, last: vector(count - 1))
  }

  /// Pieces that follow one another are a bucket as soon as they have enough bytes; it is summed while the next is formed.
  private func total<Number: BitwiseCopyable & AdditiveArithmetic & Sendable>(
    own count: Int, pieces: Int, beside overlap: Overlap,
    _ append: (_ shard: Int, _ piece: Int, _ numbers: inout [Number]) -> Void
  ) throws(StepRefusal) -> [Number] {
    var buckets: [CommunicationThread.Later<[Number]>] = []
    var own = [[Number]](repeating: [], count: count)
    for piece in 0..<pieces {
      for shard in 0..<count { append(shard, piece, &own[shard]) }
      let bytes = own[0].count * MemoryLayout<Number>.stride
      if bytes < overlap.bucketBytes && piece < pieces - 1 { continue }
      var accumulator = TreeAccumulator<Number>(tree, rank: communicator.rank)
      for vector in own.dropLast() { accumulator.add(vector) }
      let (last, complete) = (own[count - 1], accumulator)
      buckets.append(
        overlap.thread.run(else: []) { () throws(StepRefusal) in try total(complete, last: last) })
      own = [[Number]](repeating: [], count: count)
    }
    try overlap.thread.wait()
    return buckets.count == 1 ? buckets[0].answer : buckets.flatMap(\.answer)
  }

  /// Of whole vectors, given that of this rank's last shard.
  private func total<Number: BitwiseCopyable & AdditiveArithmetic & Sendable>(
    _ accumulator: TreeAccumulator<Number>, last: [Number]
  ) throws(StepRefusal) -> [Number] {
    var total: [Number] = []
    do {
      try accumulator.allReduce(
        0..<last.count, by: communicator,
        last: { $0.copy(last.span) },
        read: { total = [Number](copying: $0) })
    } catch { throw StepRefusal(error) }
    return total
  }
}

/// The ranks of a run, as an optimizer's step sees them.
struct RankSharing: WorkSharing {
  let communicator: any Communicator

  var rank: Int { communicator.rank }
  var size: Int { communicator.size }

  func allGather<Number: BitwiseCopyable>(
    counts: [Int], write: (inout MutableSpan<Number>) -> Void, read: (_ rank: Int, Span<Number>) -> Void
  ) throws(StepRefusal) {
    do { try communicator.allGather(counts: counts, write: write, read: read) } catch {
      throw StepRefusal(error)
    }
  }
}
