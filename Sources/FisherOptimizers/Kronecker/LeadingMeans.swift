package import FisherLinearAlgebra
import FisherRuntime

// Sums are formed in double precision from the front, several side by side: each alone waits for its additions.

extension Matrix {
  /// The first `count` elements of each row become their mean. The matrix has no gaps.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  package mutating func averageFirst(columns count: Int, threads: Int) {
    require(count >= 0 && count <= columns, "averageFirst: there are \(columns) columns and not \(count)")
    let (total, columns) = (rows, columns)
    withMutablePointer { x in
      require(x.columnStride == 1 && x.rowStride == columns, "averageFirst: there are gaps between rows")
      Parallel.performRows(total, columns: columns, threads: threads) { rows in
        for first in stride(from: rows.lowerBound, to: rows.upperBound, by: 8) {
          let height = min(8, rows.upperBound - first)
          // Where fewer rows are left, the last one takes the other places, too.
          let places = (0..<8).reduce(into: SIMD8<Int>.zero) {
            $0[$1] = (first + min($1, height - 1)) * columns
          }
          var sums = SIMD8<Double>.zero
          for j in 0..<count {
            var next = SIMD8<Double>.zero
            for k in 0..<8 { next[k] = Double(x.base[places[k] + j]) }
            sums += next
          }
          for k in 0..<height {
            (x.base + places[k]).update(repeating: Scalar(sums[k] / Double(count)), count: count)
          }
        }
      }
    }
  }

  /// The elements of the first `count` rows become the means of their columns. The matrix has no gaps.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  package mutating func averageFirst(rows count: Int, threads: Int) {
    require(count >= 0 && count <= rows, "averageFirst: there are \(rows) rows and not \(count)")
    let (columns, piece) = (columns, 256)
    withMutablePointer { x in
      require(x.columnStride == 1 && x.rowStride == columns, "averageFirst: there are gaps between rows")
      Parallel.perform((columns + piece - 1) / piece, threads: threads) { task in
        let (first, width) = (task * piece, min(piece, columns - task * piece))
        withUnsafeTemporaryAllocation(of: Double.self, capacity: width) { sums in
          sums.initialize(repeating: 0)
          for i in 0..<count {
            let row = x.base + i * columns + first
            for j in 0..<width { sums[j] += Double(row[j]) }
          }
          for i in 0..<count {
            let row = x.base + i * columns + first
            for j in 0..<width { row[j] = Scalar(sums[j] / Double(count)) }
          }
        }
      }
    }
  }
}
