// Three kinds of systems and the factorization for each: symmetric positive definite, square, least squares.
//
//     swift run -c release 02-solve

import FisherLinearAlgebra

let n = 50
let b = Matrix<Double>(rows: n, columns: 1) { i, _ in Double(i % 3) - 1 }

/// max |A·x − b|
func residual(_ a: Matrix<Double>, _ x: Matrix<Double>, _ b: Matrix<Double>) -> Double {
  zip(a.multiplied(by: x).array, b.array).map { abs($0 - $1) }.max() ?? 0
}

// Springs in a row: symmetric and positive definite.
let springs = Matrix<Double>(rows: n, columns: n) { i, j in i == j ? 2.1 : abs(i - j) == 1 ? -1 : 0 }
let cholesky = try Cholesky(springs)
let displacement = cholesky.solving(b)
print("Cholesky       residual \(residual(springs, displacement, b)), log det \(cholesky.logDeterminant)")

// Any regular matrix, with a warning about its condition.
let square = Matrix<Double>(rows: n, columns: n) { i, j in
  Double((7 * i + 3 * j * j) % 11) + (i == j ? 20 : 0)
}
let lu = LU(square)
let solution = try lu.solving(b)
print("LU             residual \(residual(square, solution, b)), 1/condition \(lu.reciprocalCondition())")

// A line through points: more equations than unknowns.
let samples = Matrix<Double>(rows: n, columns: 2) { i, j in j == 0 ? 1 : Double(i) / 10 }
let measured = Matrix<Double>(rows: n, columns: 1) { i, _ in 3 - 2 * Double(i) / 10 }
let line = try QR(samples).solving(measured)
print("least squares  offset \(line[0, 0]), slope \(line[1, 0])")

precondition(residual(springs, displacement, b) < 1e-12 && residual(square, solution, b) < 1e-11)
precondition(abs(line[0, 0] - 3) < 1e-12 && abs(line[1, 0] + 2) < 1e-12)
