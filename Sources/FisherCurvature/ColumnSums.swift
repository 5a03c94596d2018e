package import FisherLinearAlgebra

/// Sums down the columns of a matrix: Σᵢ xᵢⱼ or Σᵢ xᵢⱼ² for every j.
///
/// Stretches of ``ColumnSums/stretch`` rows are added in the element type, the stretches in double precision: the
/// relative error stays near 64·u for any number of rows. Bits depend on the elements alone, not on the threads.
package enum ColumnSums {
  static var stretch: Int { 64 }
  /// Columns of a task: two kilobytes of running sums in `Float`.
  static var taskWidth: Int { 256 }

  /// Σᵢ xᵢⱼ².
  @specialized(where S == Float) @specialized(where S == Double)
  package static func squares<S: KernelScalar>(_ x: Matrix<S>, threads: Int) -> [Double] {
    sum(x, threads: threads) { value in value * value }
  }

  /// Σᵢ xᵢⱼ.
  @specialized(where S == Float) @specialized(where S == Double)
  package static func plain<S: KernelScalar>(_ x: Matrix<S>, threads: Int) -> [Double] {
    sum(x, threads: threads) { value in value }
  }

  @inline(__always)
  private static func sum<S: KernelScalar>(
    _ x: Matrix<S>, threads: Int, _ term: (SIMD8<S>) -> SIMD8<S>
  ) -> [Double] {
    let x = x.compacted()
    let (rows, columns) = (x.rows, x.columns)
    return [Double](unsafeUninitializedCapacity: columns) { buffer, count in
      count = columns
      buffer.initialize(repeating: 0)
      // Tasks write disjoint columns of the result.
      nonisolated(unsafe) let totals = buffer
      x.withPointer { x in
        let base = x.base
        Parallel.perform((columns + taskWidth - 1) / taskWidth, threads: rows * columns < 32768 ? 1 : threads)
        {
          task in
          let first = task * taskWidth
          let width = min(taskWidth, columns - first)
          var i = 0
          while i < rows {
            let end = min(rows, i + stretch)
            addStretch(
              base + i * columns + first, rows: end - i, width, columns, totals.baseAddress! + first, term)
            i = end
          }
        }
      }
    }
  }

  /// Adds the terms of a stretch of rows to the totals, eight columns at a time.
  @inline(__always)
  private static func addStretch<S: KernelScalar>(
    _ p: UnsafePointer<S>, rows: Int, _ width: Int, _ stride: Int, _ totals: UnsafeMutablePointer<Double>,
    _ term: (SIMD8<S>) -> SIMD8<S>
  ) {
    var j = 0
    while j + 32 <= width {
      var (a, b, c, d) = (SIMD8<S>.zero, SIMD8<S>.zero, SIMD8<S>.zero, SIMD8<S>.zero)
      for i in 0..<rows {
        let row = UnsafeRawPointer(p + i * stride + j)
        let size = MemoryLayout<SIMD8<S>>.size
        a += term(row.loadUnaligned(as: SIMD8<S>.self))
        b += term(row.loadUnaligned(fromByteOffset: size, as: SIMD8<S>.self))
        c += term(row.loadUnaligned(fromByteOffset: 2 * size, as: SIMD8<S>.self))
        d += term(row.loadUnaligned(fromByteOffset: 3 * size, as: SIMD8<S>.self))
      }
      for lane in 0..<8 {
        totals[j + lane] += Double(a[lane])
        totals[j + 8 + lane] += Double(b[lane])
        totals[j + 16 + lane] += Double(c[lane])
        totals[j + 24 + lane] += Double(d[lane])
      }
      j += 32
    }
    while j < width {
      var sum = SIMD8<S>.zero
      for i in 0..<rows { sum[0] += term(SIMD8<S>(repeating: p[i * stride + j]))[0] }
      totals[j] += Double(sum[0])
      j += 1
    }
  }
}
