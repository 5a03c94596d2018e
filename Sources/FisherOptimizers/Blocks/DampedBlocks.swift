public import FisherLinearAlgebra
import FisherRuntime

/// Symmetric blocks of one order that shall be inverted, with what is added to their diagonals before; see
/// ``Step/invert(_:_:)``.
///
/// A block that is not positive definite in working precision keeps its former inverse, at first I/λ.
public struct DampedBlocks<Scalar: KernelScalar>: Sendable {
  /// Kept as symmetric ones, and so are their inverses, whose `InterleavedBatch.elements` are the piece of state.
  public let blocks: InterleavedBatch<Scalar>
  /// λ
  public let damping: Double
  /// The names of the inverses: their slot and their owner.
  public let slot, owner: String

  public init(_ blocks: InterleavedBatch<Scalar>, damping: Double, as slot: String, of owner: String) {
    require(blocks.storage == .symmetric, "DampedBlocks: \(owner) has blocks that are kept in full")
    self.blocks = blocks
    self.damping = damping
    self.slot = slot
    self.owner = owner
  }
}

extension DampedBlocks: DampedInverse {
  /// Up to this order, blocks are inverted side by side; above, one after the other by blocked sweeps.
  private static var largestSideBySide: Int { 64 }

  var rows: Int { blocks.elements.rows }
  var columns: Int { blocks.elements.columns }
  var flops: Double {
    let n = Double(blocks.order)
    return Double(blocks.count) * n * n * n
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  func invert(
    into inverses: inout Matrix<Scalar>, former: Matrix<Scalar>?, on backend: any Backend, threads: Int
  ) -> Int {
    let (count, order, damping) = (blocks.count, blocks.order, Damping.absolute(Scalar(damping)))
    return inverses.withMutableBlocks(count: count, order: order, isUndefined: true) { C in
      let failed: [Int]
      if order <= Self.largestSideBySide {
        let outcome = C.assignInverses(of: blocks, damping: damping, on: backend, threads: threads)
        failed = outcome.failures.map(\.matrix)
      } else {
        var stack = blocks.stack(on: backend, threads: threads)
        failed = (0..<count).filter {
          (try? stack[$0].invertPositiveDefinite(damping: damping, on: backend, threads: threads)) == nil
        }
        C = InterleavedBatch(stack, storage: .symmetric, on: backend, threads: threads)
      }
      let kept = former.map { InterleavedBatch(elements: $0, count: count, order: order) }
      for block in failed { C[block] = kept?[block] ?? scalarInverse }
      return failed.count
    }
  }

  /// I/λ
  private var scalarInverse: Matrix<Scalar> {
    let value = Scalar(1 / damping)
    return Matrix(rows: blocks.order, columns: blocks.order) { $0 == $1 ? value : 0 }
  }
}
