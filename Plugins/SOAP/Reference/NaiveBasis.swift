import FisherOptimizers

// Bases by Jacobi's rotations and by Gram and Schmidt, their vectors in rows; products as they are defined.

func naiveProduct(_ A: [[Double]], _ B: [[Double]]) -> [[Double]] {
  A.map { row in B[0].indices.map { j in row.indices.reduce(0) { $0 + row[$1] * B[$1][j] } } }
}

func naiveTransposed(_ A: [[Double]]) -> [[Double]] { A[0].indices.map { j in A.map { $0[j] } } }

func naiveIdentity(_ n: Int) -> [[Double]] { (0..<n).map { i in (0..<n).map { i == $0 ? 1 : 0 } } }

func naiveFirstBasis(_ factor: [[Double]], _ method: some EigenbasisMethod) -> [[Double]] {
  if method.firstBasis == .iteration {
    return naiveIteration(factor, naiveIdentity(factor.count), shift: method.shift).basis
  }
  let (values, vectors) = naiveEigen(factor)
  return values.indices.sorted { values[$0] > values[$1] }.map { vectors[$0] }
}

/// The vectors in descending order of their quotients, times the shifted factor, made orthonormal one after the other.
func naiveIteration(
  _ factor: [[Double]], _ basis: [[Double]], shift: Double
) -> (basis: [[Double]], order: [Int]) {
  var A = factor
  let mean = A.indices.reduce(0) { $0 + A[$1][$1] } / Double(A.count)
  for i in A.indices { A[i][i] += shift * mean }
  let images = naiveProduct(basis, A)
  let quotients = zip(basis, images).map { zip($0, $1).reduce(0) { $0 + $1.0 * $1.1 } }
  let order = quotients.indices.sorted { quotients[$0] > quotients[$1] }
  var new: [[Double]] = []
  for k in order {
    var x = images[k]
    // Twice, so that rounding of the first time is taken out too.
    for _ in 0..<2 {
      for q in new {
        let overlap = zip(x, q).reduce(0) { $0 + $1.0 * $1.1 }
        x = zip(x, q).map { $0 - overlap * $1 }
      }
    }
    let length = x.reduce(0) { $0 + $1 * $1 }.squareRoot()
    new.append(x.map { $0 / length })
  }
  return (new, order)
}
