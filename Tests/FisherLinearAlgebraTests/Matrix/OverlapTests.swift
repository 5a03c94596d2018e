import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// The check of bare pointers against what it stands for: the sets of addresses.
@Suite struct OverlapTests {
  let memory = UnsafeMutablePointer<Float>.allocate(capacity: 1)

  func block(_ offset: Int, _ rows: Int, _ columns: Int, _ rowStride: Int, _ columnStride: Int = 1)
    -> MutableMatrixPointer<Float>
  {
    // Only addresses are compared: nothing is read.
    MutableMatrixPointer(
      memory + offset, rows: rows, columns: columns, rowStride: rowStride, columnStride: columnStride)
  }

  func addresses(_ matrix: MutableMatrixPointer<Float>) -> [Int] {
    (0..<matrix.rows).flatMap { i in
      (0..<matrix.columns).map { j in
        Int(bitPattern: matrix.base) + 4 * (i * matrix.rowStride + j * matrix.columnStride)
      }
    }
  }

  @Test func blocksOfOneParentAreToldApartExactly() {
    // All pairs of a 3×2 block and blocks of some shapes in a parent of leading dimension 5, in both orders.
    let fixed = block(11, 3, 2, 5)
    let taken = Set(addresses(fixed))
    for (rows, columns) in [(1, 1), (1, 4), (2, 3), (4, 1), (3, 5), (0, 2)] {
      for offset in 0..<40 {
        for other in [
          block(offset, rows, columns, 5), block(offset + 5 * rows, rows, columns, -5),
          block(offset, columns, rows, 1, 5),
        ] {
          let expected = !taken.isDisjoint(with: addresses(other))
          #expect(overlap(fixed.readOnly, other.readOnly) == expected, "\(other)")
          #expect(overlap(other.readOnly, fixed.readOnly) == expected, "\(other)")
          #expect(overlap(fixed.transposed.readOnly, other.readOnly) == expected, "\(other)")
        }
      }
    }
  }

  @Test func overlapIsNeverMissed() {
    let strides = [-7, -3, -1, 0, 1, 2, 4, 9]
    for r in strides {
      for s in strides {
        for offset in stride(from: -30, through: 30, by: 3) {
          let (x, y) = (block(0, 3, 4, 6), block(offset, 3, 2, r, s))
          if !Set(addresses(x)).isDisjoint(with: addresses(y)) {
            #expect(overlap(x.readOnly, y.readOnly) && overlap(y.readOnly, x.readOnly), "\(offset) \(r) \(s)")
          }
        }
      }
    }
  }

  @Test func repeatedElementsAreFoundExactly() {
    for rows in 0...4 {
      for columns in 0...4 {
        for r in -9...9 {
          for s in -9...9 {
            let c = block(0, rows, columns, r, s)
            let expected = Set(addresses(c)).count == rows * columns
            #expect(hasDistinctElements(c) == expected, "\(rows)×\(columns), strides \(r) and \(s)")
          }
        }
      }
    }
  }

  @Test(.ownThread) func repeatedElementsStop() async {
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: 100)
        let c = MutableMatrixPointer(memory, rows: 3, columns: 4, rowStride: 3, columnStride: 1)
        requireDistinctElements(c, "C", "gemm")
      }, "gemm: C is 3×4", "row stride 3")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: 100)
        // 3 rows down is 2 columns to the right.
        let c = MutableMatrixPointer(memory, rows: 4, columns: 3, rowStride: 2, columnStride: 3)
        requireDistinctElements(c, "C", "syrk")
      }, "syrk: C is 4×3")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: 100)
        let x = VectorPointer(memory + 50, count: 3)
        gemv(
          Gemv(
            alpha: 1, a: MatrixPointer(memory, rows: 2, columns: 3, rowStride: 3, columnStride: 1), x: x,
            beta: 0,
            y: MutableVectorPointer(memory + 90, count: 2, stride: 0)), on: LoopBackend(), threads: 1)
      }, "gemv: y is 2×1")
  }

  @Test(.ownThread) func overlappingOutputsStop() async {
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: 100)
        let a = MatrixPointer(memory, rows: 3, columns: 4, rowStride: 4, columnStride: 1)
        let b = MatrixPointer(memory + 20, rows: 4, columns: 2, rowStride: 2, columnStride: 1)
        let c = MutableMatrixPointer(memory + 11, rows: 3, columns: 2, rowStride: 2, columnStride: 1)
        gemm(Gemm(alpha: 1, a: a, b: b, beta: 0, c: c), on: LoopBackend(), threads: 1)
      }, "gemm: the output C of 3×2 overlaps A of 3×4")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: 100)
        let a = MatrixPointer(memory, rows: 3, columns: 4, rowStride: 4, columnStride: 1)
        let c = MutableMatrixPointer(memory, rows: 3, columns: 3, rowStride: 3, columnStride: 1)
        syrk(Syrk(alpha: 1, a: a, beta: 0, c: c, triangle: .lower), on: LoopBackend(), threads: 1)
      }, "syrk: the output C of 3×3 overlaps A of 3×4")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: 100)
        let a = MatrixPointer(memory, rows: 2, columns: 2, rowStride: 2, columnStride: 1)
        let b = MatrixPointer(memory + 10, rows: 2, columns: 3, rowStride: 3, columnStride: 1)
        let c = MutableMatrixPointer(memory + 14, rows: 2, columns: 3, rowStride: 3, columnStride: 1)
        symm(Symm(alpha: 1, a: a, triangle: .lower, b: b, beta: 0, c: c), on: LoopBackend(), threads: 1)
      }, "symm: the output C of 2×3 overlaps B of 2×3")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: 100)
        let a = MutableMatrixPointer(memory, rows: 2, columns: 3, rowStride: 3, columnStride: 1)
        ger(
          alpha: 1, VectorPointer(memory + 10, count: 2), VectorPointer(memory + 5, count: 3), into: a,
          on: LoopBackend(), threads: 1)
      }, "ger: the output A of 2×3 overlaps y of 3×1")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: 100)
        func call(_ c: Int) -> Gemm<Float> {
          Gemm(
            alpha: 1, a: MatrixPointer(memory, rows: 2, columns: 2, rowStride: 2, columnStride: 1),
            b: MatrixPointer(memory + 4, rows: 2, columns: 2, rowStride: 2, columnStride: 1), beta: 0,
            c: MutableMatrixPointer(memory + c, rows: 2, columns: 2, rowStride: 2, columnStride: 1))
        }
        [call(10), call(12)].withUnsafeBufferPointer { gemm(group: $0, on: LoopBackend(), threads: 1) }
      }, "gemm: the output C of 2×2 overlaps another product's C of 2×2")
  }

  @Test func separateOperandsPass() {
    let memory = UnsafeMutablePointer<Float>.allocate(capacity: 64)
    defer { memory.deallocate() }
    memory.initialize(repeating: 1, count: 64)
    // A, B and C are interleaved blocks of one parent.
    func part(_ j: Int) -> MutableMatrixPointer<Float> {
      MutableMatrixPointer(memory + j, rows: 2, columns: 2, rowStride: 8, columnStride: 1)
    }
    let call = Gemm(alpha: 1, a: part(0).readOnly, b: part(2).readOnly, beta: 1, c: part(4))
    gemm(call, on: LoopBackend(), threads: 1)
    #expect(addresses(part(4)).count == 4 && part(4)[1, 1] == 3 && part(6)[1, 1] == 1)
  }
}
