import FisherLinearAlgebra
import Testing

/// Views share; mutations are seen by nobody else, and copy only what is shared.
@Suite struct MatrixViewTests {
  let square = Matrix<Double>(rows: 6, columns: 5) { i, j in Double(10 * i + j) }

  @Test func viewsShareStorage() {
    let a = square
    #expect(a.transposed.baseAddress == a.baseAddress)
    #expect(a[rows: 2..<5, columns: 1..<3].baseAddress == a.baseAddress + (2 * 5 + 1) * 8)
    #expect(a.row(3).array == [30, 31, 32, 33, 34])
    #expect(a.column(4).array == [4, 14, 24, 34, 44, 54])
    #expect(a.column(4).baseAddress == a.baseAddress + 4 * 8)
    #expect(a.transposed[rows: 1...2, columns: 3...] == [[31, 41, 51], [32, 42, 52]])
    #expect((a.row(3).rows, a.row(3).columns) == (1, 5))
    #expect((a.column(3).rows, a.column(3).columns) == (6, 1))
  }

  @Test func copiesAreIndependent() {
    let a = square
    var b = a
    b[0, 0] = -1
    #expect(a[0, 0] == 0 && b[0, 0] == -1)
    #expect(a.baseAddress != b.baseAddress)
  }

  @Test func uniqueMatricesAreMutatedInPlace() {
    var a = Matrix<Double>(rows: 6, columns: 5)
    let address = a.baseAddress
    a[1, 1] = 3
    a.transposed[2, 1] = 4
    a[rows: 3..., columns: 3...][0, 0] = 5
    a[rows: 3..., columns: 3...].transposed[rows: 0..<1, columns: 1..<2][0, 0] = 6
    a.withMutableSpan { $0[0] = 7 }
    #expect(a.baseAddress == address)
    var expected = Matrix<Double>(rows: 6, columns: 5)
    for (i, j, value) in [(1, 1, 3), (1, 2, 4), (3, 3, 5), (4, 3, 6), (0, 0, 7.0)] { expected[i, j] = value }
    #expect(a == expected)
  }

  @Test func assignmentToABlockLeavesTheRest() {
    var a = Matrix<Double>(rows: 6, columns: 5)
    let address = a.baseAddress
    a[rows: 2..<4, columns: 1..<3] = [[1, 2], [3, 4]]
    #expect(a.baseAddress == address)
    let expected = Matrix<Double>(rows: 6, columns: 5) { i, j in
      (2..<4).contains(i) && (1..<3).contains(j) ? Double(2 * (i - 2) + j) : 0
    }
    #expect(a == expected)
  }

  @Test func blocksOfSharedStorageCopyTheParentOnce() {
    let original = square
    var a = original
    a[rows: 2..<4, columns: 1..<3][0, 0] = -1
    #expect(original == square)
    #expect(a[2, 1] == -1 && a[5, 4] == 54)
    let address = a.baseAddress
    a[rows: 0..<1, columns: 0...][0, 0] = -2
    #expect(a.baseAddress == address)
  }

  @Test func mutatedViewsCopyTheirElementsAlone() {
    let a = square
    var block = a[rows: 2..<4, columns: 1..<3].transposed
    block[0, 0] = -1
    #expect(a == square)
    #expect(block == [[-1, 31], [22, 32]])
    #expect((block.rowStride, block.columnStride) == (2, 1))
  }

  @Test func aBlockMayBeReplacedWhileItIsLent() {
    func replace(_ block: inout Matrix<Double>) { block = [[-1, -2], [-3, -4]] }
    func turn(_ block: inout Matrix<Double>) { block = block.transposed }
    var a = Matrix<Double>(rows: 3, columns: 3) { i, j in Double(3 * i + j) }
    let address = a.baseAddress
    replace(&a[rows: 1..., columns: 1...])
    #expect(a == [[0, 1, 2], [3, -1, -2], [6, -3, -4]])
    turn(&a[rows: 1..., columns: 1...])
    #expect(a == [[0, 1, 2], [3, -1, -3], [6, -2, -4]])
    turn(&a[rows: 0..., columns: 0...])
    #expect(a == [[0, 3, 6], [1, -1, -2], [2, -3, -4]])
    #expect(a.baseAddress == address)
  }

  @Test func lentBlocksLieInTheirParent() {
    func mutate(_ block: inout Matrix<Double>) -> Int {
      block[0, 0] = -1
      return block.baseAddress
    }
    var a = Matrix<Double>(rows: 6, columns: 5)
    let address = a.baseAddress
    #expect(mutate(&a[rows: 2..<4, columns: 1..<3]) == address + (2 * 5 + 1) * 8)
    #expect(mutate(&a[rows: 2..., columns: 1...][rows: 1..., columns: 1...]) == address + (3 * 5 + 2) * 8)
    #expect(mutate(&a.transposed[rows: 4..., columns: 3...]) == address + (3 * 5 + 4) * 8)
    #expect(a[2, 1] == -1 && a[3, 2] == -1 && a[3, 4] == -1 && asum(a, on: LoopBackend()) == 3)
  }

  @Test func aCopyOfALentBlockCannotWriteIntoTheParent() {
    var escaped: [Matrix<Double>] = []
    var a = square
    a[0, 0] = -7
    let expected = a.array
    func keep(_ block: inout Matrix<Double>) { escaped.append(block) }
    keep(&a[rows: 1..<3, columns: 1..<3])
    escaped[0][0, 1] = -5
    #expect(a.array == expected)
    #expect(escaped[0] == [[11, -5], [21, 22]])
  }

  @Test func aCopyOfALentBlockKeepsItsValue() {
    var escaped: [Matrix<Double>] = []
    func keep(_ block: inout Matrix<Double>) {
      block[0, 0] = -1
      escaped.append(block)
    }
    var a = square
    keep(&a[rows: 1..<3, columns: 1..<3])
    a[1, 1] = 100
    #expect(escaped[0] == [[-1, 12], [21, 22]], "the parent wrote into a copy")
    let before = a
    escaped[0][0, 1] = -5
    #expect(a == before, "the copy wrote into the parent")
    #expect(escaped[0] == [[-1, -5], [21, 22]])
  }

  @Test func aCopyMadeAndKeptWhileTheBlockIsReplaced() {
    var escaped: [Matrix<Double>] = []
    func keepAndReplace(_ block: inout Matrix<Double>) {
      escaped.append(block)
      block = [[-1, -2], [-3, -4]]
      escaped[0][0, 0] = 77
    }
    var a = square
    keepAndReplace(&a[rows: 1..<3, columns: 1..<3])
    escaped[0][1, 1] = 78
    #expect(escaped[0] == [[77, 12], [21, 78]])
    var expected = square
    for (i, j, value) in [(1, 1, -1), (1, 2, -2), (2, 1, -3), (2, 2, -4.0)] { expected[i, j] = value }
    #expect(a == expected)
  }

  @Test func theLoanEndsWhenAnErrorIsThrown() {
    struct Stop: Error {}
    func fail(_ block: inout Matrix<Double>) throws {
      block[0, 0] = -1
      throw Stop()
    }
    var a = square
    #expect(throws: Stop.self) { try fail(&a[rows: 1..., columns: 1...]) }
    #expect(a[1, 1] == -1 && a[0, 0] == 0)
    a[0, 0] = 5
    #expect(a[0, 0] == 5)
  }

  @Test func parentsMayGoBeforeTheirViews() {
    var row = Matrix<Double>(rows: 0, columns: 0)
    do {
      let a = square
      row = a.row(2)
    }
    #expect(row == [[20, 21, 22, 23, 24]])
  }

  @Test func stacksAreViews() {
    let a = Matrix<Double>(rows: 6, columns: 2) { i, j in Double(10 * i + j) }
    var stack = MatrixStack(splitting: a, count: 2)
    #expect((stack.count, stack.rows, stack.columns) == (2, 3, 2))
    #expect(stack[1].baseAddress == a.baseAddress + 6 * 8)
    #expect(stack.transposed[1] == [[30, 40, 50], [31, 41, 51]])
    stack.transposed[1][0, 2] = -1
    #expect(stack[1] == [[30, 31], [40, 41], [-1, 51]])
    #expect(a[5, 0] == 50)
    let address = stack[0].baseAddress
    stack[0][0, 0] = -2
    #expect(stack[0].baseAddress == address)
  }

  @Test func repeatedStacksSeparateOnMutation() {
    var stack = MatrixStack(repeating: square, count: 3)
    #expect(stack[2].baseAddress == square.baseAddress)
    stack[1][0, 0] = -1
    #expect(stack[0] == square && stack[2] == square && stack[1][0, 0] == -1)
  }
}
