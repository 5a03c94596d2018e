import FisherDistributed
import FisherLinearAlgebra
import FisherOptimizers

/// Weighted sums over all shards of a batch, of several lists of matrices at once: gradients, say, and running averages.
///
/// Weights add up to about 1, so that what is added is a mean at any time and overflows only where its parts do.
struct ShardSum<Scalar: KernelScalar> {
  private let batch: ShardedBatch
  private var accumulator: TreeAccumulator<Scalar>
  private var shapes: [(rows: Int, columns: Int)] = []

  init(_ batch: ShardedBatch) {
    self.batch = batch
    accumulator = TreeAccumulator(batch.tree, rank: batch.communicator.rank)
  }

  /// Takes in the next of this rank's shards.
  mutating func add(_ lists: [(matrices: [Matrix<Scalar>], weight: Double)]) {
    shapes = lists.flatMap { $0.matrices.map { ($0.rows, $0.columns) } }
    let count = shapes.reduce(0) { $0 + $1.rows * $1.columns }
    let vector = [Scalar](unsafeUninitializedCapacity: count) { target, filled in
      for (matrices, weight) in lists {
        for matrix in matrices {
          matrix.withSpan { source in
            source.withUnsafeBufferPointer {
              Self.scale($0, by: Scalar(weight), to: UnsafeMutableBufferPointer(rebasing: target[filled...]))
            }
          }
          filled += matrix.count
        }
      }
    }
    accumulator.add(vector)
  }

  /// The sums, the lists one after the other.
  ///
  /// - Throws: `StepRefusal` if the ranks cannot go on.
  consuming func total() throws(StepRefusal) -> [Matrix<Scalar>] {
    let shapes = shapes
    var nodes = accumulator.nodes()
    do {
      var span = nodes.mutableSpan
      try batch.communicator.allReduce(&span, over: batch.tree)
    } catch { throw StepRefusal(error) }
    var start = 0
    return shapes.map { shape in
      defer { start += shape.rows * shape.columns }
      return Matrix(
        Array(nodes[start..<start + shape.rows * shape.columns]), rows: shape.rows, columns: shape.columns)
    }
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private static func scale(
    _ source: UnsafeBufferPointer<Scalar>, by weight: Scalar, to target: UnsafeMutableBufferPointer<Scalar>
  ) {
    for i in source.indices { target[i] = weight * source[i] }
  }
}
