import FisherRuntime

package import FisherLinearAlgebra

/// Sums down the columns of a matrix: Σᵢ xᵢⱼ or Σᵢ xᵢⱼ² for every j.
///
/// Stretches of ``ColumnSums/stretch`` rows are added in the element type, the stretches in double precision: the
/// relative error stays near 64·u for any number of rows. Bits depend on the elements alone, not on the threads.
/// Memory is read in long pieces of four rows while the next four are prefetched: four streams are too many for the
/// hardware's prefetchers, and walking down a few columns uses little of each cache line.
package enum ColumnSums {
  static var stretch: Int { 64 }
  /// Columns of a task: running sums that stay in the first-level cache.
  static var taskWidth: Int { 4096 }

  /// Σᵢ xᵢⱼ².
  @specialized(where S == Float) @specialized(where S == Double)
  package static func squares<S: KernelScalar>(_ x: Matrix<S>, threads: Int) -> [Double] {
    sum(x, squared: true, threads: threads)
  }

  /// Σᵢ xᵢⱼ.
  @specialized(where S == Float) @specialized(where S == Double)
  package static func plain<S: KernelScalar>(_ x: Matrix<S>, threads: Int) -> [Double] {
    sum(x, squared: false, threads: threads)
  }

  @inline(__always)
  private static func sum<S: KernelScalar>(
    _ x: Matrix<S>, squared: Bool, threads: Int
  ) -> [Double] {
    let x = x.compacted()
    let (rows, columns) = (x.rows, x.columns)
    let (stretches, blocks) = ((rows + stretch - 1) / stretch, (columns + taskWidth - 1) / taskWidth)
    return withUnsafeTemporaryAllocation(of: S.self, capacity: stretches * columns) { table in
      table.initialize(repeating: 0)
      // Each task writes its own part of a row of the table: the sums of a stretch.
      x.withPointer { x in
        let (base, sums) = (x.base, table.baseAddress)
        Parallel.perform(stretches * blocks, threads: Parallel.elementwise(rows * columns, threads: threads))
        { task in
          guard let sums else { return }
          let (part, first) = (task / blocks, task % blocks * taskWidth)
          addRows(
            base + part * stretch * columns + first, rows: min(stretch, rows - part * stretch),
            min(taskWidth, columns - first), columns, sums + part * columns + first, squared)
        }
      }
      var totals = [Double](repeating: 0, count: columns)
      for part in 0..<stretches {
        for j in 0..<columns { totals[j] += Double(table[part * columns + j]) }
      }
      return totals
    }
  }

  /// Adds the terms of rows to their sums, four rows at a time.
  @inline(__always)
  private static func addRows<S: KernelScalar>(
    _ p: UnsafePointer<S>, rows: Int, _ width: Int, _ stride: Int, _ sums: UnsafeMutablePointer<S>,
    _ squared: Bool
  ) {
    var i = 0
    while i + 4 <= rows {
      let row = p + i * stride
      var j = 0
      while j + 8 <= width {
        for k in 4..<8 { prefetchLine(row + (k * stride + j)) }
        let upper = load(UnsafePointer(sums + j)) + term(row + j, squared) + term(row + stride + j, squared)
        let lower = term(row + 2 * stride + j, squared) + term(row + 3 * stride + j, squared)
        store(upper + lower, to: sums + j)
        j += 8
      }
      addRest(row, rows: 4, j..<width, stride, sums, squared)
      i += 4
    }
    addRest(p + i * stride, rows: rows - i, 0..<width, stride, sums, squared)
  }

  /// Element by element.
  private static func addRest<S: KernelScalar>(
    _ p: UnsafePointer<S>, rows: Int, _ columns: Range<Int>, _ stride: Int, _ sums: UnsafeMutablePointer<S>,
    _ squared: Bool
  ) {
    for j in columns {
      for i in 0..<rows {
        let x = p[i * stride + j]
        sums[j] += squared ? x * x : x
      }
    }
  }

  @inline(__always)
  private static func term<S: KernelScalar>(_ p: UnsafePointer<S>, _ squared: Bool) -> Lanes<S> {
    let x = load(p)
    return squared ? x * x : x
  }
}
