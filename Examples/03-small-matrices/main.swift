// Thousands of small matrices inverted at once, one in each lane of a vector; one of them is not positive definite.
//
//     swift run -c release 03-small-matrices

import FisherLinearAlgebra

let (count, order) = (10_000, 9)

// Diagonally dominant, each a little different.
func element(_ matrix: Int, _ i: Int, _ j: Int) -> Float {
  i == j ? 4 + Float(matrix % 5) : 0.3 * Float((i + j + matrix) % 3 - 1)
}
var blocks = MatrixStack<Float>(count: count, rows: order, columns: order)
for m in 0..<count {
  for i in 0..<order {
    for j in 0..<order { blocks[m, i, j] = element(m, i, j) }
  }
}
blocks[17, 3, 3] = -1
let sources = blocks

let clock = ContinuousClock()
let time = clock.measure {
  let outcome = blocks.invertPositiveDefinite()
  for failure in outcome.failures { print("not positive definite:", failure) }
  precondition(outcome.failures.count == 1)
}
print("\(count) inverses of \(order) × \(order) in \(time)")

// A·A⁻¹ = I, for all but the one that was refused and left alone.
var worst: Float = 0
for m in 0..<count where m != 17 {
  let product = sources[m].multiplied(by: blocks[m])
  for i in 0..<order {
    for j in 0..<order { worst = max(worst, abs(product[i, j] - (i == j ? 1 : 0))) }
  }
}
print("max |A·A⁻¹ − I| =", worst)
precondition(worst < 1e-5 && blocks[17] == sources[17])
