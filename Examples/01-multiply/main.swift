// One layer of a network as a product: y = relu(x·wᵀ + b), without copying w, in parts, and checked against the definition.
//
//     swift run -c release 01-multiply

import FisherLinearAlgebra

let x = Matrix<Float>(rows: 6, columns: 4) { i, j in Float((3 * i + 5 * j) % 7) - 3 }
let w = Matrix<Float>(rows: 3, columns: 4) { i, j in Float((i + 2 * j) % 5) - 2 }
let b = Matrix<Float>([0.5, -1, 2], rows: 1, columns: 3)

// Transposes and blocks are views: nothing is copied.
var y = Matrix<Float>(rows: 6, columns: 3)
gemm(x, w.transposed, into: &y, bias: b, activation: .relu)

// The same in two halves of the rows, written in place.
var halves = Matrix<Float>(rows: 6, columns: 3)
for rows in [0..<3, 3..<6] {
  gemm(
    x[rows: rows, columns: 0...], w.transposed, into: &halves[rows: rows, columns: 0...], bias: b,
    activation: .relu)
}

// The definition. These numbers are small integers and halves: the products are exact.
var naive = Matrix<Float>(rows: 6, columns: 3)
for i in 0..<6 {
  for j in 0..<3 {
    var sum = b[0, j]
    for k in 0..<4 { sum += x[i, k] * w[j, k] }
    naive[i, j] = max(0, sum)
  }
}

print(y)
precondition(y == naive && halves == naive, "the product differs from its definition")
print("agrees with the definition")
