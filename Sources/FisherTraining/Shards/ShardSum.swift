import FisherDistributed
import FisherLinearAlgebra
import FisherOptimizers
import FisherRuntime

/// Weighted sums over all shards of a batch, of several lists of matrices at once: running averages, say, and gradients.
///
/// Weights add up to about 1, so that what is added is a mean at any time and overflows only where its parts do.
struct ShardSum<Scalar: KernelScalar> {
  /// What a shard adds.
  typealias Lists = [(matrices: [Matrix<Scalar>], weight: Double)]

  private let batch: ShardedBatch
  private var accumulator: TreeAccumulator<Scalar>

  init(_ batch: ShardedBatch) {
    self.batch = batch
    accumulator = TreeAccumulator(batch.tree, rank: batch.communicator.rank)
  }

  /// Takes in the next of this rank's shards, which is not the last.
  mutating func add(_ lists: Lists) {
    let count = Self.count(lists)
    accumulator.add(
      [Scalar](unsafeUninitializedCapacity: count) { target, filled in
        var span = target.extracting(0..<count).mutableSpan
        Self.write(lists, to: &span)
        filled = count
      })
  }

  /// Adds up all shards of all ranks.
  ///
  /// - Parameter lists: of this rank's last shard; their matrices become the sums. In place, if nobody shares them.
  /// - Throws: `StepRefusal` if the ranks cannot go on.
  consuming func total(_ lists: inout Lists) throws(StepRefusal) {
    try total(
      0..<Self.count(lists), last: { Self.write(lists, to: &$0) },
      read: { sums in
        var start = 0
        for l in lists.indices {
          for i in lists[l].matrices.indices {
            let range = start..<start + lists[l].matrices[i].count
            lists[l].matrices[i].withMutableSpan { $0.copy(sums.extracting(range)) }
            start = range.upperBound
          }
        }
      })
  }

  /// Adds up a part of the numbers, in the order of the lists.
  ///
  /// - Parameters:
  ///   - part: which numbers.
  ///   - last: writes those of this rank's last shard.
  ///   - read: gets their sums.
  /// - Throws: `StepRefusal` if the ranks cannot go on.
  func total(
    _ part: Range<Int>, last: (inout MutableSpan<Scalar>) -> Void, read: (Span<Scalar>) -> Void
  ) throws(StepRefusal) {
    do { try accumulator.allReduce(part, by: batch.communicator, last: last, read: read) } catch {
      throw StepRefusal(error)
    }
  }

  static func count(_ lists: Lists) -> Int {
    lists.reduce(0) { $1.matrices.reduce($0) { $0 + $1.count } }
  }

  private static func write(_ lists: Lists, to target: inout MutableSpan<Scalar>) {
    var start = 0
    for (matrices, weight) in lists {
      for matrix in matrices {
        var place = target._mutatingExtracting(start..<start + matrix.count)
        matrix.withSpan { scale($0, by: Scalar(weight), to: &place) }
        start += matrix.count
      }
    }
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  static func scale(_ source: Span<Scalar>, by weight: Scalar, to target: inout MutableSpan<Scalar>) {
    source.withUnsafeBufferPointer { source in
      target.withUnsafeMutableBufferPointer { target in
        for i in source.indices { target[i] = weight * source[i] }
      }
    }
  }
}
