import FisherLinearAlgebra
import Testing

/// What stands between a caller and a backend: which operand goes where. Small integers, so results are exact.
@Suite struct OperationTests {
  let loops = LoopBackend()
  let a: Matrix<Double> = [[1, 2, 3], [4, 5, 6]]
  let b: Matrix<Double> = [[1, 0], [2, 1], [0, 3]]
  let ab: Matrix<Double> = [[5, 11], [14, 23]]
  let symmetric: Matrix<Double> = [[1, 2], [2, 5]]
  /// `symmetric` with what must not be read.
  let lowerOnly: Matrix<Double> = [[1, .nan], [2, 5]]

  @Test func products() {
    var c = Matrix<Double>(repeating: .nan, rows: 2, columns: 2)
    gemm(a, b, into: &c, on: loops)
    #expect(c == ab)
    gemm(alpha: 2, a, b, beta: -1, into: &c, on: loops)
    #expect(c == ab)
    gemm(b.transposed, a.transposed, into: &c.transposed, on: loops)
    #expect(c == ab)
    #expect(a.multiplied(by: b, on: loops) == ab)
    #expect(
      Matrix<Double>(rows: 2, columns: 0).multiplied(by: Matrix(rows: 0, columns: 1), on: loops) == [
        [0], [0],
      ])
  }

  @Test func productsIntoBlocksAndOverOperands() {
    var c = Matrix<Double>(repeating: 9, rows: 4, columns: 3)
    gemm(a, b, into: &c[rows: 1..<3, columns: 1..<3], on: loops)
    #expect(c == [[9, 9, 9], [9, 5, 11], [9, 14, 23], [9, 9, 9]])
    var d = ab
    let operand = d
    gemm(operand, operand, into: &d, on: loops)
    #expect(d == [[179, 308], [392, 683]])
    #expect(operand == ab)
  }

  @Test func epilogues() {
    var c = Matrix<Double>(rows: 2, columns: 2)
    gemm(a, b, into: &c, bias: [[1, -20]], activation: .relu, on: loops)
    #expect(c == [[6, 0], [15, 3]])
    gemm(a, b, into: &c, bias: [[1], [-20]], activation: .leakyRelu(slope: 0.5), on: loops)
    #expect(c == [[6, 12], [-3, 3]])
    gemm(a, b, into: &c, bias: Matrix([[1, 7], [-20, 7]]).column(0), on: loops)
    #expect(c == [[6, 12], [-6, 3]])
  }

  @Test func arraysOfProducts() {
    var c = [Matrix<Double>](repeating: Matrix(rows: 2, columns: 2), count: 2)
    gemm([a, ab], [b, symmetric], into: &c, on: loops)
    #expect(c == [ab, [[27, 65], [60, 143]]])
    #expect(loops.log.all.first == "group")
  }

  @Test func stacksOfProducts() {
    let stacked = Matrix<Double>([[1, 2, 3], [4, 5, 6], [0, 0, 1], [0, 1, 0]])
    var c = MatrixStack<Double>(count: 2, rows: 2, columns: 2)
    gemm(MatrixStack(splitting: stacked, count: 2), MatrixStack(repeating: b, count: 2), into: &c, on: loops)
    #expect(c[0] == ab && c[1] == [[0, 3], [2, 1]])
    var t = MatrixStack<Double>(count: 2, rows: 3, columns: 3)
    let s = MatrixStack(splitting: stacked, count: 2)
    gemm(s.transposed, s, beta: 1, into: &t.transposed, on: loops)
    #expect(t[0] == a.transposed.multiplied(by: a, on: loops))
    #expect(t[1] == [[0, 0, 0], [0, 1, 0], [0, 0, 1]])
    #expect(loops.log.all.filter { $0 == "batch" }.count == 2)
  }

  @Test func symmetricProducts() {
    var c = Matrix<Double>(repeating: 9, rows: 2, columns: 2)
    syrk(a, into: &c, on: loops)
    #expect(c == [[14, 9], [32, 77]])
    syrk(alpha: 2, a, beta: -1, into: &c, triangle: .upper, mirror: true, on: loops)
    #expect(c == [[14, 55], [55, 77]])
    var gram = Matrix<Double>(repeating: .nan, rows: 3, columns: 3)
    syrk(a.transposed, into: &gram, mirror: true, on: loops)
    #expect(gram == [[17, 22, 27], [22, 29, 36], [27, 36, 45]])
  }

  @Test(arguments: [Triangle.lower, .upper]) func symmetricOperands(triangle: Triangle) {
    let s = triangle == .lower ? lowerOnly : lowerOnly.transposed
    var left = Matrix<Double>(rows: 2, columns: 3)
    symm(s, triangle: triangle, a, into: &left, on: loops)
    #expect(left == [[9, 12, 15], [22, 29, 36]])
    var right = Matrix<Double>(repeating: 1, rows: 3, columns: 2)
    symm(alpha: 2, s, triangle: triangle, side: .right, b, beta: 1, into: &right, on: loops)
    #expect(right == [[3, 5], [9, 19], [13, 31]])
  }

  @Test func vectorsAreRowsOrColumns() {
    var y = Matrix<Double>(rows: 2, columns: 1)
    gemv(a, b.column(1), into: &y, on: loops)
    #expect(y == [[11], [23]])
    gemv(alpha: -1, a, [[0, 1, 3]], beta: 1, into: &y.transposed, on: loops)
    #expect(y == [[0], [0]])
    var c = Matrix<Double>(repeating: 1, rows: 2, columns: 3)
    ger(alpha: 2, a.column(0), a.row(1), into: &c, on: loops)
    #expect(c == [[9, 11, 13], [33, 41, 49]])
  }

  @Test func levelOneRunsOverAllElements() {
    let gaps = Matrix<Double>([[1, 2, 3, 0], [4, 5, -6, 0]])[rows: 0..., columns: 0..<3]
    #expect(dot(gaps, a, on: loops) == 1 + 4 + 9 + 16 + 25 - 36)
    #expect(dot(a.row(0), b.column(0), on: loops) == 5)
    #expect(dot(a.transposed, gaps.transposed, on: loops) == 19)
    #expect(asum(gaps, on: loops) == 21)
    #expect(nrm2(Matrix<Double>([[3], [4]]), on: loops) == 5)
    #expect(iamax(gaps, on: loops).map { [$0.row, $0.column] } == [1, 2])
    #expect(iamax(gaps.transposed, on: loops).map { [$0.row, $0.column] } == [2, 1])
    #expect(iamax(Matrix<Double>(rows: 0, columns: 3), on: loops) == nil)
  }

  @Test func levelOneUpdatesInPlace() {
    var y = Matrix<Double>(rows: 3, columns: 4)
    let address = y.baseAddress
    axpy(alpha: 2, a, into: &y[rows: 1..., columns: 0..<3], on: loops)
    axpy(b, into: &y.transposed[rows: 0..<3, columns: 0..<2], on: loops)
    let expected: Matrix<Double> = [[1, 2, 0, 0], [2, 5, 9, 0], [8, 10, 12, 0]]
    #expect(y == expected)
    scal(alpha: 2, &y[rows: 0..., columns: 1..<2], on: loops)
    scal(alpha: 0, &y[rows: 1..., columns: 2...], on: loops)
    #expect(y == [[1, 4, 0, 0], [2, 10, 0, 0], [8, 20, 0, 0]])
    scal(alpha: -1, &y.transposed, on: loops)
    #expect(y == [[-1, -4, 0, 0], [-2, -10, 0, 0], [-8, -20, 0, 0]])
    #expect(y.baseAddress == address)
  }

  @Test func copies() {
    var c = Matrix<Double>(rows: 3, columns: 2)
    transpose(a, into: &c, on: loops)
    #expect(c == a.transposed)
    copy(b, into: &c, on: loops)
    #expect(c == b)
    copy(a, into: &c.transposed, on: loops)
    #expect(c == a.transposed)
  }
}
