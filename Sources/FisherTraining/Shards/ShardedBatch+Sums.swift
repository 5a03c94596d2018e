import FisherDistributed
import FisherOptimizers

extension ShardedBatch: ShardSums {
  func total<Number: BitwiseCopyable & AdditiveArithmetic & Sendable>(
    own count: Int, _ vector: (Int) -> [Number]
  ) throws(StepRefusal) -> [Number] {
    var accumulator = TreeAccumulator<Number>(tree, rank: communicator.rank)
    for i in 0..<count - 1 { accumulator.add(vector(i)) }
    let last = vector(count - 1)
    var total: [Number] = []
    do {
      try accumulator.allReduce(
        by: communicator, count: last.count,
        last: { $0.copy(last.span) },
        read: { sums in
          total = [Number](unsafeUninitializedCapacity: sums.count) { target, count in
            sums.withUnsafeBufferPointer { count = target.initialize(fromContentsOf: $0) }
          }
        })
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
