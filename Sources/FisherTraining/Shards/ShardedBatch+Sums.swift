import FisherDistributed
import FisherOptimizers

extension ShardedBatch: ShardSums {
  func total<Number: BitwiseCopyable & AdditiveArithmetic & Sendable>(
    own count: Int, _ vector: (Int) -> [Number]
  ) throws(StepRefusal) -> [Number] {
    var accumulator = TreeAccumulator<Number>(tree, rank: communicator.rank)
    for i in 0..<count { accumulator.add(vector(i)) }
    let length = accumulator.length
    var nodes = accumulator.nodes()
    do {
      var span = nodes.mutableSpan
      try communicator.allReduce(&span, over: tree)
    } catch { throw StepRefusal(error) }
    return nodes.count == length ? nodes : Array(nodes.prefix(length))
  }
}

/// The ranks of a run, as an optimizer's step sees them.
struct RankSharing: WorkSharing {
  let communicator: any Communicator

  var rank: Int { communicator.rank }
  var size: Int { communicator.size }

  func allGather(_ all: inout MutableRawSpan, counts: [Int]) throws(StepRefusal) {
    do { try communicator.allGather(&all, counts: counts) } catch { throw StepRefusal(error) }
  }
}
