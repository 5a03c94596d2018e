package import FisherLinearAlgebra

/// Sums down the columns of a matrix: Σᵢ xᵢⱼ or Σᵢ xᵢⱼ² for every j.
///
/// Stretches of ``ColumnSums/stretch`` rows are added in the element type, the stretches in double precision: the
/// relative error stays near 64·u for any number of rows. Bits depend on the elements alone, not on the threads.
/// Memory is read row by row: walking down a few columns would leave the prefetcher behind, at a fifth of the speed.
package enum ColumnSums {
  static var stretch: Int { 64 }
  /// Columns of a task: two kilobytes of running sums in `Float`.
  static var taskWidth: Int { 512 }

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
    return [Double](unsafeUninitializedCapacity: columns) { buffer, count in
      count = columns
      buffer.initialize(repeating: 0)
      // Tasks write disjoint columns of the result.
      nonisolated(unsafe) let totals = buffer
      x.withPointer { x in
        let base = x.base
        let tasks = (columns + taskWidth - 1) / taskWidth
        Parallel.perform(tasks, threads: rows * columns < 32768 ? 1 : threads) { task in
          let first = task * taskWidth
          let width = min(taskWidth, columns - first)
          withUnsafeTemporaryAllocation(of: S.self, capacity: taskWidth) { sums in
            for start in stride(from: 0, to: rows, by: stretch) {
              sums.initialize(repeating: 0)
              addRows(
                base + start * columns + first, rows: min(stretch, rows - start), width, columns,
                sums.baseAddress!, squared)
              for j in 0..<width { totals[first + j] += Double(sums[j]) }
            }
          }
        }
      }
    }
  }

  /// Adds the terms of rows to their sums, four rows at a time.
  @inline(__always)
  private static func addRows<S: KernelScalar>(
    _ p: UnsafePointer<S>, rows: Int, _ width: Int, _ stride: Int, _ sums: UnsafeMutablePointer<S>,
    _ squared: Bool
  ) {
    var i = 0
    while i < rows {
      let row = p + i * stride
      let isFour = i + 4 <= rows
      var j = 0
      while j + 8 <= width {
        var sum = load(UnsafePointer(sums + j)) + term(row + j, squared)
        if isFour {
          sum += term(row + stride + j, squared)
          sum += term(row + 2 * stride + j, squared) + term(row + 3 * stride + j, squared)
        }
        UnsafeMutableRawPointer(sums + j).storeBytes(of: sum, as: SIMD8<S>.self)
        j += 8
      }
      while j < width {
        for k in 0..<(isFour ? 4 : 1) {
          let x = row[k * stride + j]
          sums[j] += squared ? x * x : x
        }
        j += 1
      }
      i += isFour ? 4 : 1
    }
  }

  @inline(__always)
  private static func term<S: KernelScalar>(_ p: UnsafePointer<S>, _ squared: Bool) -> SIMD8<S> {
    let x = load(p)
    return squared ? x * x : x
  }

  @inline(__always)
  private static func load<S: KernelScalar>(_ p: UnsafePointer<S>) -> SIMD8<S> {
    UnsafeRawPointer(p).loadUnaligned(as: SIMD8<S>.self)
  }
}
