/// The solution of A·x = b by Gauss elimination with partial pivoting.
package func eliminate(_ A: [[Double]], _ b: [Double]) -> [Double] {
  var A = zip(A, b).map { $0 + [$1] }
  let n = b.count
  for k in 0..<n {
    A.swapAt(k, (k..<n).max { abs(A[$0][k]) < abs(A[$1][k]) }!)
    for i in 0..<n where i != k {
      let factor = A[i][k] / A[k][k]
      for j in k...n { A[i][j] -= factor * A[k][j] }
    }
  }
  return (0..<n).map { A[$0][n] / A[$0][$0] }
}
