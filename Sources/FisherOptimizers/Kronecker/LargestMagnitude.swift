import FisherLinearAlgebra
import FisherRuntime

/// max |xᵢⱼ|, 0 without elements, in pieces of whole rows on several threads.
///
/// - Precondition: no element is NaN.
@specialized(where S == Float) @specialized(where S == Double)
package func largestMagnitude<S: KernelScalar>(
  _ x: Matrix<S>, on backend: any Backend, threads: Int
) -> Double {
  var largest = [Double](repeating: 0, count: x.rows)
  largest.withUnsafeMutableBufferPointer { largest in
    // Each task writes the element of its first row.
    nonisolated(unsafe) let largest = largest
    Parallel.performRows(x.rows, columns: x.columns, threads: threads) { rows in
      let piece = x[rows: rows, columns: 0...]
      largest[rows.lowerBound] = iamax(piece, on: backend).map { abs(Double(piece[$0.row, $0.column])) } ?? 0
    }
  }
  return largest.max() ?? 0
}
