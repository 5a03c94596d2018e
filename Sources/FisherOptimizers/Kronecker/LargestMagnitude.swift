import FisherLinearAlgebra
import FisherRuntime

/// max |xᵢⱼ|, 0 without elements, in pieces of whole rows on several threads.
///
/// - Precondition: no element is NaN.
@specialized(where S == Float) @specialized(where S == Double)
package func largestMagnitude<S: KernelScalar>(
  _ x: Matrix<S>, on backend: any Backend, threads: Int
) -> Double {
  let height = max(1, Parallel.elementwisePiece / max(1, x.columns))
  let count = (x.rows + height - 1) / height
  var largest = [Double](repeating: 0, count: count)
  largest.withUnsafeMutableBufferPointer { largest in
    // Each task writes its own element.
    nonisolated(unsafe) let largest = largest
    Parallel.perform(count, threads: threads) { i in
      let piece = x[rows: i * height..<min(x.rows, (i + 1) * height), columns: 0...]
      largest[i] = iamax(piece, on: backend).map { abs(Double(piece[$0.row, $0.column])) } ?? 0
    }
  }
  return largest.max() ?? 0
}
