import FisherLinearAlgebra
import Testing

@Suite struct CBLASOperandTests {
  private func leading(_ rows: Int, _ columns: Int, _ rowStride: Int, _ columnStride: Int) -> [Int?] {
    let a = MatrixPointer(
      UnsafePointer(UnsafeMutablePointer<Float>.allocate(capacity: 1)), rows: rows, columns: columns,
      rowStride: rowStride, columnStride: columnStride)
    defer { a.base.deallocate() }
    return [leadingDimension(of: a, in: .rowMajor), leadingDimension(of: a, in: .columnMajor)]
  }

  @Test func leadingDimensions() {
    #expect(leading(3, 4, 4, 1) == [4, nil])
    #expect(leading(3, 4, 9, 1) == [9, nil])
    #expect(leading(3, 4, 1, 3) == [nil, 3])
    #expect(leading(3, 4, 8, 2) == [nil, nil])
    #expect(leading(3, 4, 3, 1) == [nil, nil], "rows overlap")
    #expect(leading(3, 4, -4, 1) == [nil, nil])
    #expect(leading(3, 4, 0, 1) == [nil, nil])
  }

  @Test func strideOfASingleRowOrColumnMeansNothing() {
    #expect(leading(1, 4, 0, 1) == [4, 1])
    #expect(leading(1, 4, 7, 5) == [nil, 5])
    #expect(leading(4, 1, 7, 0) == [7, nil])
    #expect(leading(4, 1, 1, 1) == [1, 4])
    #expect(leading(1, 1, 0, -3) == [1, 1])
    #expect(leading(0, 4, 4, 1) == [4, 1])
    #expect(leading(4, 0, 1, 1) == [1, 4])
    #expect(leading(1, 0, 0, 1) == [1, 1])
  }
}
