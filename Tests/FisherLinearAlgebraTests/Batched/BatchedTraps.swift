import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// Wrong shapes of batches and Kronecker products stop the program, and the message has the shapes.
@Suite struct BatchedTrapTests {
  @Test(.ownThread) func solveShapes() async {
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var right = MatrixStack<Float>(count: 2, rows: 4, columns: 1)
        BatchedCholesky(MatrixStack<Float>(count: 2, rows: 3, columns: 3)).solve(&right)
      }, "2 factors of order 3", "2 right-hand sides of 4×1")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var right = InterleavedBatch<Double>(count: 3, rows: 4, columns: 1)
        BatchedCholesky(InterleavedBatch<Double>(count: 2, order: 4)).solve(&right)
      }, "2 factors of order 4", "3 right-hand sides of 4×1")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var stack = MatrixStack<Float>(count: 2, rows: 3, columns: 4)
        stack.invert()
      }, "invert: the matrices are 3×4; they must be square")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        _ = BatchedCholesky(MatrixStack<Float>(count: 2, rows: 3, columns: 3), damping: .absolute(-1))
      }, "BatchedCholesky: damping is absolute(-1.0); it must be at least 0")
  }

  @Test(.ownThread) func elementsOutside() async {
    for (m, i, j) in [(2, 0, 0), (-1, 0, 0), (0, 3, 0), (0, -1, 0), (0, 0, 4), (0, 0, -1)] {
      expectMessage(
        await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
          [m = m as Int, i = i as Int, j = j as Int] in
          var stack = MatrixStack<Float>(count: 2, rows: 3, columns: 4)
          stack[m, i, j] = 1
        }, "MatrixStack: there is no element (\(i), \(j)) of matrix \(m) in 2 of 3×4")
    }
  }

  @Test(.ownThread) func blockShapes() async {
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var blocks = InterleavedBatch<Float>(count: 5, order: 3, storage: .symmetric)
        blocks.addOuterProducts(of: Matrix(rows: 5, columns: 4), alpha: 1)
      }, "samples of 5×4", "5 matrices of 3×3")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var blocks = InterleavedBatch<Float>(count: 5, order: 3)
        blocks.addOuterProducts(of: Matrix(rows: 5, columns: 3), alpha: 1)
      }, "addOuterProducts: the matrices are kept in full")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        _ = InterleavedBatch<Float>(elements: Matrix(rows: 1, columns: 80), count: 17, order: 3)
      }, "1×80 elements are not 17 symmetric matrices of order 3", "2×96")
  }

  @Test(.ownThread) func kroneckerShapes() async {
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var result = Matrix<Float>(rows: 3, columns: 2)
        let g = Matrix<Float>(rows: 3, columns: 2)
        applyKronecker(left: .explicit(Matrix(rows: 2, columns: 2)), g, right: .identity, into: &result)
      }, "applyKronecker: the left factor is 2×2; it must be 3×3")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        let square = { Matrix<Float>(rows: $0, columns: $0) }
        var result = Matrix<Float>(rows: 3, columns: 2)
        KroneckerBasis(left: square(3), right: square(2)).divide(
          Matrix(rows: 3, columns: 2), by: .elements(Matrix(rows: 2, columns: 3), damping: 1), into: &result)
      }, "G is 3×2", "the spectrum is 2×3")
  }
}
