import FisherLinearAlgebra
import FisherOptimizers

extension Muon {
  /// The odd polynomial a·σ + b·σ³ + c·σ⁵ of singular values: steep at 0, and from 0.68 to 1.21 for all that have come
  /// near 1. Source: official code; chosen there for the steepest start.
  static var coefficients: (a: Double, b: Double, c: Double) { (3.4445, -4.7750, 2.0315) }

  /// What keeps a zero from being divided by. Source: official code.
  static var floor: Double { 1e-7 }

  /// O = NS(U): X₀ = U/(‖U‖_F + 10⁻⁷), X ← a·X + (b·A + c·A²)·X with A = X·Xᵀ on the shorter side.
  ///
  /// Singular vectors stay, singular values from 0.003 of ‖U‖_F on come to [0.68, 1.21] in five iterations. Of products
  /// with symmetric results one half is computed: 3·m·n·r + r³ flops an iteration with r = min(m, n).
  func orthogonalized<S: KernelScalar>(
    _ U: Matrix<S>, of parameter: ParameterInfo, _ step: inout Step<S>
  ) throws(StepRefusal) -> Matrix<S> {
    let (m, n, r) = (U.rows, U.columns, min(U.rows, U.columns))
    let (name, backend, threads) = (parameter.name, step.backend, step.threads)
    let norm = Double(nrm2(U, on: backend))
    guard norm.isFinite else {
      throw .failed(
        optimizer: Self.record.name, place: name, reason: "the norm of its momentum is not finite")
    }
    var X = step.temporary(rows: m, columns: n) {
      $0.assign(Combination(1 / (norm + Self.floor), 0), of: U, nil, threads: threads)
    }
    let (a, b, c) = (S(Self.coefficients.a), S(Self.coefficients.b), S(Self.coefficients.c))
    for _ in 1...iterations {
      let A = step.temporary(rows: r, columns: r) {
        syrk(m <= n ? X : X.transposed, into: &$0, mirror: true, on: backend, threads: threads)
      }
      // Half of b·A + c·A², since A·A = A·Aᵀ.
      let B = step.temporary(rows: r, columns: r) {
        copy(A, into: &$0, on: backend)
        syrk(alpha: c, A, beta: b, into: &$0, on: backend, threads: threads)
      }
      X = step.temporary(rows: m, columns: n) {
        copy(X, into: &$0, on: backend)
        symm(B, side: m <= n ? .left : .right, X, beta: a, into: &$0, on: backend, threads: threads)
      }
    }
    return X
  }
}
