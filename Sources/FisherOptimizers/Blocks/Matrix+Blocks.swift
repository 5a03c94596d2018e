package import FisherLinearAlgebra

extension Matrix {
  /// Lends this matrix as the elements of symmetric blocks, without copying them unless somebody shares them.
  ///
  /// - Parameters:
  ///   - count: of the blocks.
  ///   - order: of each.
  ///   - isUndefined: the matrix is memory of undefined content, and `body` writes all blocks.
  ///   - body: changes the blocks.
  /// - Precondition: the shape is that of `InterleavedBatch.shape(count:order:)`.
  package mutating func withMutableBlocks<R>(
    count: Int, order: Int, isUndefined: Bool = false, _ body: (inout InterleavedBatch<Scalar>) -> R
  ) -> R {
    // Out of its place for that time, so that this is not who shares it.
    var elements = Matrix(rows: 0, columns: 0)
    swap(&elements, &self)
    var blocks =
      isUndefined
      ? InterleavedBatch(overwriting: consume elements, count: count, order: order)
      : InterleavedBatch(elements: consume elements, count: count, order: order)
    let result = body(&blocks)
    self = blocks.elements
    return result
  }
}
