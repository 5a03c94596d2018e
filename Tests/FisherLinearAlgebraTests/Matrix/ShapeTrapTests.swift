import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// Wrong shapes stop the program before a backend sees them, and the message has the shapes.
@Suite struct ShapeTrapTests {
  @Test(.ownThread) func gemmShapes() async {
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var c = Matrix<Float>(rows: 3, columns: 2)
        gemm(Matrix<Float>(rows: 3, columns: 4), Matrix(rows: 5, columns: 2), into: &c)
      }, "gemm: A is 3×4 and B is 5×2; A.columns must equal B.rows")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var c = Matrix<Double>(rows: 2, columns: 3)
        gemm(Matrix<Double>(rows: 3, columns: 4), Matrix(rows: 4, columns: 2), into: &c)
      }, "gemm: A is 3×4, B is 4×2 and C is 2×3; C must be 3×2")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var c = Matrix<Float>(rows: 3, columns: 2)
        gemm(Matrix<Float>(rows: 3, columns: 4), Matrix(rows: 4, columns: 2), into: &c, bias: [[1, 2, 3]])
      }, "bias is 1×3", "C is 3×2")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        _ = Matrix<Float>(rows: 3, columns: 4).multiplied(by: Matrix(rows: 5, columns: 2))
      }, "A is 3×4", "B is 5×2")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var c = Matrix<Float>(rows: 3, columns: 2)
        gemm(Matrix<Float>(rows: 3, columns: 4), Matrix(rows: 4, columns: 2), into: &c, threads: 0)
      }, "gemm: threads is 0")
  }

  @Test(.ownThread) func batchShapes() async {
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var c = [Matrix<Float>(rows: 3, columns: 2)]
        gemm([Matrix<Float>(rows: 3, columns: 4)], [Matrix(rows: 5, columns: 2)], into: &c)
      }, "A is 3×4", "B is 5×2")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var c = [Matrix<Float>(rows: 3, columns: 2)]
        gemm([], [Matrix<Float>(rows: 5, columns: 2)], into: &c)
      }, "0 matrices A, 1 B and 1 C")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var c = MatrixStack<Float>(count: 2, rows: 3, columns: 2)
        let a = MatrixStack<Float>(count: 3, rows: 3, columns: 4)
        gemm(a, MatrixStack(count: 2, rows: 4, columns: 2), into: &c)
      }, "3 of 3×4", "2 of 4×2", "2 of 3×2")
  }

  @Test(.ownThread) func symmetricShapes() async {
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var c = Matrix<Float>(rows: 4, columns: 4)
        syrk(Matrix<Float>(rows: 3, columns: 4), into: &c)
      }, "syrk: A is 3×4 and C is 4×4; C must be 3×3")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var c = Matrix<Float>(rows: 3, columns: 2)
        symm(Matrix<Float>(rows: 3, columns: 4), Matrix(rows: 3, columns: 2), into: &c)
      }, "symm: A is 3×4 and B is 3×2; A must be square")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var c = Matrix<Float>(rows: 3, columns: 2)
        symm(Matrix<Float>(rows: 3, columns: 3), side: .right, Matrix(rows: 3, columns: 2), into: &c)
      }, "A is 3×3 on the right", "B is 3×2")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var c = Matrix<Float>(rows: 2, columns: 3)
        symm(Matrix<Float>(rows: 3, columns: 3), Matrix(rows: 3, columns: 2), into: &c)
      }, "A is 3×3", "B is 3×2", "C is 2×3")
  }

  @Test(.ownThread) func vectorShapes() async {
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var y = Matrix<Float>(rows: 3, columns: 1)
        gemv(Matrix<Float>(rows: 3, columns: 4), Matrix(rows: 1, columns: 5), into: &y)
      }, "gemv: A is 3×4", "x has 5")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var y = Matrix<Float>(rows: 3, columns: 1)
        gemv(Matrix<Float>(rows: 3, columns: 4), Matrix(rows: 2, columns: 2), into: &y)
      }, "gemv: x is 2×2")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var a = Matrix<Float>(rows: 3, columns: 4)
        ger(Matrix<Float>(rows: 4, columns: 1), Matrix(rows: 3, columns: 1), into: &a)
      }, "x has 4", "y has 3", "A is 3×4")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        _ = dot(Matrix<Float>(rows: 2, columns: 3), Matrix(rows: 3, columns: 2))
      }, "dot: x is 2×3 and y is 3×2")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var y = Matrix<Float>(rows: 3, columns: 2)
        axpy(Matrix<Float>(rows: 2, columns: 3), into: &y)
      }, "axpy: x is 2×3 and y is 3×2")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var b = Matrix<Float>(rows: 2, columns: 3)
        transpose(Matrix<Float>(rows: 2, columns: 3), into: &b)
      }, "A is 2×3", "B is 2×3", "must be 3×2")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var b = Matrix<Float>(rows: 3, columns: 2)
        copy(Matrix<Float>(rows: 2, columns: 3), into: &b)
      }, "A is 2×3", "B is 3×2")
  }
}
