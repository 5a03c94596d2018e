import FisherLinearAlgebra
import FisherTestSupport
import Testing

@Suite struct MatrixTests {
  @Test func shapesAndElements() {
    let a: Matrix<Double> = [[1, 2, 3], [4, 5, 6]]
    #expect((a.rows, a.columns, a.count) == (2, 3, 6))
    #expect((a[0, 0], a[0, 2], a[1, 0], a[1, 2]) == (1, 3, 4, 6))
    #expect(a.array == [1, 2, 3, 4, 5, 6])
    #expect(Matrix([1, 2, 3, 4, 5, 6], rows: 2, columns: 3) == a)
    #expect(Matrix(rows: 2, columns: 3) { i, j in Double(3 * i + j + 1) } == a)
    #expect(Matrix(copying: a.array.span, rows: 2, columns: 3) == a)
    #expect(Matrix<Float>(rows: 2, columns: 2).array == [0, 0, 0, 0])
    #expect(Matrix<Float>(repeating: 7, rows: 1, columns: 3).array == [7, 7, 7])
    #expect(Matrix<Float>(identity: 2) == [[1, 0], [0, 1]])
  }

  @Test func elementClosureMayThrow() {
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      _ = try Matrix<Float>(rows: 2, columns: 2) { (_, _) throws(Stop) in throw Stop() }
    }
  }

  @Test(arguments: [(0, 0), (0, 5), (5, 0)]) func emptyMatricesAreValid(rows: Int, columns: Int) {
    var a = Matrix<Float>(rows: rows, columns: columns)
    #expect(a.isEmpty && a.isContiguous && a.array.isEmpty)
    #expect(a.transposed.rows == columns && a.transposed.transposed == a)
    #expect(a[rows: 0..., columns: 0...] == a)
    a[rows: 0..<rows, columns: 0..<columns] = Matrix(rows: rows, columns: columns)
    a.withMutableSpan { #expect($0.count == 0) }
    #expect(a == Matrix(repeating: 3, rows: rows, columns: columns))
    #expect(!a.description.isEmpty)
  }

  @Test func rowsOfNothing() {
    #expect(Matrix<Float>([[Float]]()).rows == 0)
    #expect(Matrix<Float>([[], []]) == Matrix(rows: 2, columns: 0))
  }

  @Test func storageIsAligned() {
    for n in 1...9 {
      let address = Matrix<Float>(rows: n, columns: n).baseAddress
      #expect(address % 64 == 0)
    }
  }

  @Test func equalityIsThatOfNumbers() {
    let a: Matrix<Double> = [[0, 1]]
    #expect(a == [[-0.0, 1]])
    #expect(a != [[0, 2]])
    #expect(a != a.transposed)
    let nan: Matrix<Double> = [[.nan]]
    #expect(nan != nan)
  }

  @Test func spansAreRowMajor() {
    var a: Matrix<Double> = [[1, 2], [3, 4]]
    let view = a.transposed
    view.withSpan { span in #expect([span[0], span[1], span[2], span[3]] == [1, 3, 2, 4]) }
    let address = view.baseAddress
    a.withMutableSpan { $0[1] = 9 }
    #expect(a == [[1, 9], [3, 4]])
    #expect(view.array == [1, 3, 2, 4], "a mutation reached a copy")
    #expect(view.baseAddress == address)
    var t = a.transposed
    #expect(!t.isContiguous)
    t.withMutableSpan { $0[1] = 5 }
    #expect(t == [[1, 5], [9, 4]])
    #expect(t.isContiguous)
  }

  @Test func descriptionIsAlignedAndShort() {
    let a: Matrix<Double> = [[1, -20], [3.5, 4]]
    #expect(a.description == "Matrix<Double> 2×2\n1.0  -20.0\n3.5    4.0")
    let lines = Matrix<Float>(rows: 100, columns: 200).description.split(separator: "\n")
    #expect(lines.count == 9)
    #expect(lines.dropFirst().allSatisfy { $0.count == lines[1].count })
    #expect(lines[1].contains("…") && lines[5].contains("⋮") && lines[5].contains("⋱"))
  }

  @Test(.ownThread) func wrongUseStops() async {
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        _ = Matrix<Float>(rows: 3, columns: 4)[3, 0]
      }, "(3, 0)", "3×4")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var a = Matrix<Float>(rows: 3, columns: 4)
        a[0, -1] = 1
      }, "(0, -1)", "3×4")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        _ = Matrix<Float>(rows: 3, columns: 4)[rows: 1..<5, columns: 0...]
      }, "1..<5", "3×4")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        _ = Matrix<Float>(rows: -1, columns: 4)
      }, "-1×4")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        _ = Matrix<Float>(rows: Int.max / 2, columns: 4)
      }, "do not fit")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        _ = Matrix<Float>([[1, 2], [3]])
      }, "row 1 has 1", "row 0 has 2")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        _ = Matrix<Float>([1, 2, 3], rows: 2, columns: 2)
      }, "3 elements", "2×2")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var a = Matrix<Float>(rows: 3, columns: 4)
        a[rows: 0..<2, columns: 0..<2] = [[1]]
      }, "1×1", "2×2")
  }
}

extension Matrix {
  /// Where the elements lie, to see whether they have been copied.
  var baseAddress: Int {
    precondition(isContiguous || !isEmpty)
    var address = 0
    self[rows: 0..<1, columns: 0..<1].withSpan { span in
      span.withUnsafeBufferPointer { address = Int(bitPattern: $0.baseAddress) }
    }
    return address
  }
}
