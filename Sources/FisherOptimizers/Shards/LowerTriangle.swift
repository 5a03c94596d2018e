import FisherLinearAlgebra
import FisherRuntime

// Symmetric matrices are sums over shards by their lower triangles: n·(n + 1)/2 numbers, row after row.

/// The number of elements of a lower triangle.
func triangleCount(order n: Int) -> Int { n * (n + 1) / 2 }

/// Appends the lower triangle of a matrix.
@specialized(where S == Float) @specialized(where S == Double)
func appendTriangle<S: KernelScalar>(of A: Matrix<S>, to numbers: inout [S]) {
  let n = A.rows
  A.withSpan { A in
    for i in 0..<n { for j in 0...i { numbers.append(A[i * n + j]) } }
  }
}

/// A ← kept·A + (1 − kept)·B in the lower triangle; with 0, A is not read.
///
/// - Parameter B: the numbers of its triangle.
@specialized(where S == Float) @specialized(where S == Double)
func averageTriangle<S: KernelScalar>(_ A: inout Matrix<S>, with B: ArraySlice<S>, keeping kept: Double) {
  let (n, β, α) = (A.rows, S(kept), S(1 - kept))
  var place = B.startIndex
  A.withMutableSpan { A in
    for i in 0..<n {
      for k in i * n...i * n + i {
        A[k] = β == 0 ? α * B[place] : β * A[k] + α * B[place]
        place += 1
      }
    }
  }
}

/// B ← A in the lower triangle.
@specialized(where S == Float) @specialized(where S == Double)
func copyLowerTriangle<S: KernelScalar>(of A: Matrix<S>, to B: inout Matrix<S>, threads: Int) {
  let (n, A) = (A.rows, A.compacted())
  A.withPointer { a in
    B.withMutablePointer { b in
      let (from, to) = (a.base, b.base)
      // A row has half of n elements, on average.
      Parallel.performRows(n, columns: n / 2, threads: threads) { rows in
        for i in rows { (to + i * n).update(from: from + i * n, count: i + 1) }
      }
    }
  }
}
