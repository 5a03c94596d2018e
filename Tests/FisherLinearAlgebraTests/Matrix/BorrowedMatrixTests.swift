import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// Matrices over memory that exists: they are the memory's elements, and every routine takes them like others.
@Suite struct BorrowedMatrixTests {
  /// (rows, columns, row stride, column stride, offset) in 64 elements.
  static let layouts = [
    (3, 4, 4, 1, 0), (3, 4, 7, 1, 5), (3, 4, 1, 3, 2), (4, 3, 2, 11, 1), (3, 4, -8, 2, 20), (3, 4, 6, -1, 9),
    (2, 5, -1, -9, 63), (1, 1, 99, 99, 63), (1, 5, 0, 3, 0), (5, 1, 3, 0, 0), (0, 4, 4, 1, 99),
    (4, 0, 0, 1, 99),
  ]

  @Test(arguments: layouts)
  func elementsLieWhereTheyShould(rows: Int, columns: Int, rowStride: Int, columnStride: Int, offset: Int) {
    let memory = (0..<64).map { Double($0) }
    func place(_ i: Int, _ j: Int) -> Int { offset + i * rowStride + j * columnStride }
    let expected = Matrix<Double>(rows: rows, columns: columns) { Double(place($0, $1)) }
    memory.withMatrix(
      rows: rows, columns: columns, rowStride: rowStride, columnStride: columnStride, offset: offset
    ) { a in
      #expect(a == expected && a.transposed == expected.transposed)
      #expect((a.rowStride, a.columnStride) == (rowStride, columnStride))
      #expect(a.array == expected.array)
    }
    var changed = memory
    changed.withMutableMatrix(
      rows: rows, columns: columns, rowStride: rowStride, columnStride: columnStride, offset: offset
    ) { a in
      for i in 0..<rows { for j in 0..<columns { a[i, j] = -expected[i, j] - 1 } }
    }
    var wanted = memory
    for i in 0..<rows { for j in 0..<columns { wanted[place(i, j)] = -expected[i, j] - 1 } }
    #expect(changed == wanted, "more or less than the matrix was written")
  }

  @Test func rowsMayRepeat() {
    [1, 2, 3].withMatrix(rows: 2, columns: 3, rowStride: 0) { (a: Matrix<Double>) in
      #expect(a == [[1, 2, 3], [1, 2, 3]])
      #expect(a.transposed.multiplied(by: a) == [[2, 4, 6], [4, 8, 12], [6, 12, 18]])
    }
  }

  @Test func nothingIsCopied() {
    var memory = [Float](repeating: 1, count: 12)
    let address = memory.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) }
    memory.withMatrix(rows: 3, columns: 4) { #expect($0.baseAddress == address) }
    memory.withMutableMatrix(rows: 3, columns: 4) { a in
      a[2, 3] = 5
      a[rows: 1..., columns: 1...].transposed[0, 0] = 6
      scal(alpha: 2, &a[rows: 0..., columns: 0...])
      #expect(a.baseAddress == address)
    }
  }

  @Test func buffersAndSpansLendMatrices() {
    let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: 6)
    defer { memory.deallocate() }
    memory.initialize(repeating: 2)
    var elements = memory.mutableSpan
    elements.withMutableMatrix(rows: 2, columns: 3) { $0[1, 0] = 7 }
    #expect(UnsafeBufferPointer(memory).span.withMatrix(rows: 3, columns: 2) { $0[1, 1] } == 7)
  }

  @Test func mutatedCopiesLeaveTheMemory() {
    let memory: [Double] = [1, 2, 3, 4]
    let sum = memory.withMatrix(rows: 2, columns: 2) { a in
      var b = a
      b[0, 0] = 10
      scal(alpha: 2, &b[rows: 1..., columns: 0...])
      return b
    }
    #expect(sum == [[10, 2], [6, 8]] && memory == [1, 2, 3, 4])
  }

  @Test func whatIsAssignedIsCopiedIntoPlace() {
    var memory: [Double] = [0, 1, 2, 3, 4, 5, 6, 7, 8]
    memory.withMutableMatrix(rows: 2, columns: 2, rowStride: 3, offset: 1) { $0 = $0.transposed }
    #expect(memory == [0, 1, 4, 3, 2, 5, 6, 7, 8])
    memory.withMutableMatrix(rows: 2, columns: 2, rowStride: -3, offset: 6) { $0 = [[10, 11], [12, 13]] }
    #expect(memory == [0, 1, 4, 12, 13, 5, 10, 11, 8])
  }

  @Test func aTargetMayBeCopiedAsAnOperand() {
    var memory: [Double] = [1, 2, 3, 4]
    memory.withMutableMatrix(rows: 2, columns: 2) { a in
      let old = a.transposed
      gemm(old, old, into: &a)
    }
    #expect(memory == [7, 15, 10, 22])
  }

  @Test func theLoanEndsWhenAnErrorIsThrown() {
    struct Stop: Error {}
    var memory: [Double] = [1, 2, 3, 4]
    #expect(throws: Stop.self) {
      try memory.withMutableMatrix(rows: 2, columns: 2) { a throws(Stop) in
        a[0, 0] = 5
        throw Stop()
      }
    }
    #expect(throws: Stop.self) {
      try memory.withMatrix(rows: 2, columns: 2) { _ throws(Stop) in throw Stop() }
    }
    #expect(memory == [5, 2, 3, 4])
  }

  @Test func stacksOfAnyStrides() {
    // Two heads side by side in the columns, as attention has them: 3 rows of 2 × 2 elements.
    let memory = (0..<12).map { Double($0) }
    memory.span.withMatrices(count: 2, rows: 3, columns: 2, matrixStride: 2, rowStride: 4) { heads in
      #expect(heads[1] == [[2, 3], [6, 7], [10, 11]])
      #expect(heads.transposed[0] == [[0, 4, 8], [1, 5, 9]])
      #expect(heads.stacked.rows == 6 && heads.stacked[5, 1] == 11)
      var scores = MatrixStack<Double>(count: 2, rows: 3, columns: 3)
      gemm(heads, heads.transposed, into: &scores)
      for i in 0..<2 { #expect(scores[i] == heads[i].multiplied(by: heads[i].transposed)) }
    }
    var changed = memory
    var elements = changed.mutableSpan
    elements.withMutableMatrices(count: 2, rows: 3, columns: 2, matrixStride: 2, rowStride: 4) { heads in
      heads[1][0, 0] = -1
      heads.transposed[0][1, 2] = -2
      heads[0] = heads[1]
    }
    #expect(changed == [-1, 3, -1, 3, 6, 7, 6, 7, 10, 11, 10, 11])
    elements = changed.mutableSpan
    elements.withMutableMatrices(count: 2, rows: 2, columns: 2) { $0 = $0.transposed }
    #expect(changed == [-1, -1, 3, 3, 6, 6, 7, 7, 10, 11, 10, 11])
  }

  @Test func stacksAreInvertedInPlace() {
    let (n, count, pitch) = (5, 37, 31)
    var generator = Generator(seed: 8)
    let blocks = (0..<count).map { _ in
      let x = Matrix<Float>(rows: n, columns: n) { _, _ in generator.uniform() }
      var a = Matrix<Float>(identity: n)
      syrk(x, beta: 1, into: &a, mirror: true)
      return a
    }
    var expected = MatrixStack<Float>(count: count, rows: n, columns: n)
    for i in 0..<count { expected[i] = blocks[i] }
    expected.invertPositiveDefinite(damping: .absolute(0.5))
    // With gaps between rows, and between matrices.
    var memory = [Float](repeating: .sentinel, count: count * pitch)
    for i in 0..<count {
      for r in 0..<n { for c in 0..<n { memory[i * pitch + r * 6 + c] = blocks[i][r, c] } }
    }
    var elements = memory.mutableSpan
    elements.withMutableMatrices(count: count, rows: n, columns: n, matrixStride: pitch, rowStride: 6) {
      #expect($0.invertPositiveDefinite(damping: .absolute(0.5)).isComplete)
    }
    for i in 0..<count {
      for e in 0..<pitch {
        let isElement = e / 6 < n && e % 6 < n
        #expect(memory[i * pitch + e].bits == (isElement ? expected[i][e / 6, e % 6] : .sentinel).bits)
      }
    }
  }

  @Test(.ownThread) func wrongUseStops() async {
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        [Float](repeating: 0, count: 11).withMatrix(rows: 3, columns: 4) { _ in }
      }, "3×4", "row stride 4", "11 elements")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        [Float](repeating: 0, count: 20).withMatrix(rows: 3, columns: 4, rowStride: -4, offset: 7) { _ in }
      }, "row stride -4", "offset 7", "20 elements")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        [Float](repeating: 0, count: 20).withMatrix(rows: 3, columns: 4, rowStride: Int.max / 2) { _ in }
      }, "does not lie in 20 elements")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        [Float](repeating: 0, count: 20).span
          .withMatrices(count: 2, rows: 2, columns: 2, matrixStride: 17) { _ in }
      }, "2 matrices of 2×2", "matrix stride 17", "20 elements")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        [Float](repeating: 0, count: 20).withMatrix(rows: -3, columns: 4) { _ in }
      }, "-3×4")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var memory = [Float](repeating: 0, count: 20)
        memory.withMutableMatrix(rows: 3, columns: 4, rowStride: 3) { _ in }
      }, "3×4", "row stride 3", "share places")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var memory = [Float](repeating: 0, count: 20)
        memory.withMutableMatrix(rows: 3, columns: 4) { $0 = [[1]] }
      }, "1×1", "3×4")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        _ = [Float](repeating: 0, count: 20).withMatrix(rows: 3, columns: 4) { $0.transposed }
      }, "3×4", "still in use")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var memory = [Float](repeating: 0, count: 20)
        _ = memory.withMutableMatrix(rows: 3, columns: 4) { $0.row(1) }
      }, "3×4", "still in use")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var memory = [Float](repeating: 0, count: 20)
        _ = memory.withMutableMatrix(rows: 3, columns: 4) { a in
          let kept = a
          a = Matrix(rows: 3, columns: 4)
          return kept
        }
      }, "3×4", "still in use")
  }
}
