import Foundation
import KernelTemplates

// X → A^(−1/p) by products alone (N. J. Higham, Functions of Matrices, 2008, 7.6; the constants are those of Google's
// Shampoo, R. Anil et al. 2020):
//
//     z = (1 + p)/(2·‖A‖_F),  M₀ = z·A,  X₀ = z^(1/p)·I
//     T = ((p + 1)·I − M)/p,  M ← Tᵖ·M,  X ← X·T
//
// M tends to I quadratically once it is near, and Xᵖ·A = M up to rounding. When max |M − I| grows by a fifth, rounding
// has taken over: the iterate before is the result.

/// The iteration for one matrix.
struct CoupledNewton<S: KernelScalar> {
  private(set) var x: Matrix<S>
  private(set) var iterations = 0
  private var m: Matrix<S>
  private let p: Int
  private let backend: any Backend
  private let threads: Int

  init(_ a: Matrix<S>, p: Int, backend: any Backend, threads: Int) {
    (self.p, self.backend, self.threads) = (p, backend, threads)
    let n = a.rows
    let norm = a.withPointer { a in
      (0..<n).reduce(0.0) { sum, i in
        (0..<n).reduce(sum) { $0 + Double(a[i, $1]) * Double(a[i, $1]) }
      }.squareRoot()
    }
    let z = Double(1 + p) / (2 * norm)
    m = Matrix(rows: n, columns: n) { i, j in S(z * Double(a[i, j])) }
    let start = S(pow(z, 1 / Double(p)))
    x = Matrix(rows: n, columns: n) { i, j in i == j ? start : 0 }
  }

  mutating func run(tolerance: S, maxIterations: Int) {
    var error = distanceFromIdentity(m)
    while iterations < maxIterations && error >= tolerance {
      let (m, n) = (m, m.rows)
      let t = Matrix<S>(rows: n, columns: n) { i, j in
        (i == j ? S(p + 1) - m[i, j] : -m[i, j]) / S(p)
      }
      let next = matrixPower(t, p, backend, threads).multiplied(by: m, on: backend, threads: threads)
      let nextError = distanceFromIdentity(next)
      // Not true for NaN either.
      if !(nextError <= 1.2 * error) { return }
      x = x.multiplied(by: t, on: backend, threads: threads)
      self.m = next
      error = nextError
      iterations += 1
    }
  }
}
