/// The solution of A·x = b by Gauss elimination with partial pivoting.
package func eliminate(_ A: [[Double]], _ b: [Double]) -> [Double] {
  var A = zip(A, b).map { $0 + [$1] }
  let n = b.count
  for k in 0..<n {
    A.swapAt(k, (k..<n).max { abs(A[$0][k]) < abs(A[$1][k]) }!)
    for i in 0..<n where i != k {
      subtract(A[i][k] / A[k][k], A[k], from: &A[i], k...n)
    }
  }
  return (0..<n).map { A[$0][n] / A[$0][$0] }
}

/// x ← x − a·y in some places.
private func subtract(_ a: Double, _ y: [Double], from x: inout [Double], _ places: ClosedRange<Int>) {
  for j in places { x[j] -= a * y[j] }
}
