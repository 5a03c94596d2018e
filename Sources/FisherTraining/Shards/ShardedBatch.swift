import FisherDistributed
import FisherLinearAlgebra
import FisherOptimizers

/// How a batch is cut into shards, and which of them are this rank's.
///
/// A shard is what passes through the network by itself; sums over shards have a fixed order, so that the bits of a step
/// depend on the shards and not on the ranks. A batch with fewer samples than shards is one shard, which all ranks send
/// through the network: the same work has the same bits.
struct ShardedBatch {
  /// The samples of each shard.
  let ranges: [Range<Int>]
  let tree: ReductionTree
  let communicator: any Communicator
  /// How sums go on beside computing; nil where they wait for its end.
  let overlap: Overlap?

  /// Sums that a thread carries out while another one computes.
  struct Overlap {
    let thread: CommunicationThread
    /// The least bytes that are summed at once, but for the last of a sum.
    let bucketBytes: Int
  }

  init(samples: Int, shards: Int, _ communicator: any Communicator, overlap: Overlap? = nil) {
    if shards == 1 || samples < shards {
      ranges = [0..<samples]
      tree = ReductionTree(leaves: 1, ranks: 1)
      self.communicator = SingleProcess()
      self.overlap = nil
    } else {
      ranges = (0..<shards).map { $0 * samples / shards..<($0 + 1) * samples / shards }
      tree = ReductionTree(leaves: shards, ranks: communicator.size)
      self.communicator = communicator
      self.overlap = overlap
    }
  }

  var isWhole: Bool { ranges.count == 1 }
  var sampleCount: Int { ranges[ranges.count - 1].upperBound }
  /// This rank's shards.
  var own: Range<Int> { tree.leaves(of: communicator.rank) }

  /// The samples of this rank's shards.
  var ownSamples: Range<Int> { ranges[own.lowerBound].lowerBound..<ranges[own.upperBound - 1].upperBound }

  /// The numbers of all shards, given those of this rank's.
  ///
  /// - Parameters:
  ///   - own: one shard's numbers after another's.
  ///   - count: how many a shard of so many samples has.
  func gathered<Number: BitwiseCopyable & AdditiveArithmetic>(
    _ own: [Number], count: (_ samples: Int) -> Int
  ) throws(StepRefusal) -> [Number] {
    if communicator.size == 1 { return own }
    let counts = (0..<communicator.size).map { rank in
      tree.leaves(of: rank).reduce(0) { $0 + count(ranges[$1].count) }
    }
    do { return try communicator.allGather(own, counts: counts) } catch { throw StepRefusal(error) }
  }
}

extension ShardedBatch {
  /// The numbers of all shards, equally many for each, given those of this rank's.
  func gatherShards(_ own: [[Double]]) throws(StepRefusal) -> [[Double]] {
    let width = own[0].count
    let all = try gathered(own.flatMap { $0 }) { _ in width }
    return ranges.indices.map { Array(all[$0 * width..<($0 + 1) * width]) }
  }
}

extension StepRefusal {
  /// A step that the ranks could not take together.
  init(_ error: CommunicationError) { self = .interrupted(reason: "\(error)") }

  /// A step whose batch cannot be read.
  init(_ error: FileError) { self = .interrupted(reason: "\(error)") }
}
