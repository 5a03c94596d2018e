import FisherLinearAlgebra
import FisherOptimizers
import FisherRuntime

extension PSGD {
  /// Before a parameter has seen a gradient it has no factors; then Q = s^(−1/2k)·I for each of k axes, s being the root mean
  /// square of M: what is whitened starts on the scale of V.
  func start<S: KernelScalar>(_ axes: [Axis], onScale s: Double, _ step: inout Step<S>) {
    guard let first = axes.first, s > 0, s.isFinite, step.tensor(first.slot, of: first.owner) == nil
    else { return }
    let q = S(exp(-log(s) / Double(2 * axes.count)))
    for axis in axes {
      let rows = axis.isTriangular ? axis.size : 1
      step.set(axis.slot, of: axis.owner, rows: rows, columns: axis.size) { Q in
        clear(&Q)
        for j in 0..<axis.size { Q[axis.isTriangular ? j : 0, j] = q }
      }
    }
  }

  /// One step of every factor against the difference of the moments of X and of Y.
  func update<S: KernelScalar>(
    _ axes: [Axis], _ m: Matrix<S>, times c: Double, of parameter: ParameterInfo, _ step: inout Step<S>
  ) {
    let factors = axes.compactMap { $0.factor(in: step) }
    if factors.isEmpty { return }
    let (backend, threads) = (step.backend, step.threads)
    let (rows, columns) = (m.rows, m.columns)
    let V = step.probe(.normal, seed: seed, of: parameter)
    let X = step.temporary(rows: rows, columns: columns) { X in
      X.assign(Combination(c, damping), of: m, V, threads: threads)
      for factor in factors { factor.multiply(&X, transposed: false, on: backend, threads: threads) }
    }
    let Y = step.temporary(rows: rows, columns: columns) { Y in
      copy(V, into: &Y, on: backend)
      for factor in factors { factor.solve(&Y, on: backend, threads: threads) }
    }
    for factor in factors { move(factor, X, Y, &step) }
  }

  /// Q ← Q − µ/‖A + B‖·triu(A − B)·Q, A and B being the moments of X and Y on the axis. Where these are too large for their
  /// type, Q stays and is counted.
  private func move<S: KernelScalar>(
    _ factor: AxisFactor<S>, _ X: Matrix<S>, _ Y: Matrix<S>, _ step: inout Step<S>
  ) {
    let axis = factor.axis
    let (n, rows, slot, owner) = (axis.size, factor.Q.rows, axis.slot, axis.owner)
    let (backend, threads) = (step.backend, step.threads)
    func moments(_ X: Matrix<S>) -> Matrix<S> {
      step.temporary(rows: rows, columns: n) { moments in
        clear(&moments)
        if axis.isTriangular {
          syrk(
            alpha: 1, axis.isLeft ? X : X.transposed, beta: 0, into: &moments, on: backend, threads: threads)
        } else {
          addSquares(of: X, isLeft: axis.isLeft, to: &moments)
        }
      }
    }
    let (A, B) = (moments(X), moments(Y))
    let norm = axis.isTriangular ? spectralNorm(A, B, on: backend) : largestSum(A, B)
    guard norm.isFinite && norm > 0 else { return step.count("factors kept") }
    let T = step.temporary(rows: rows, columns: n) {
      $0.assign(Combination(1, -1), of: A, B, threads: threads)
    }
    let change = step.temporary(rows: rows, columns: n) { change in
      copy(factor.Q, into: &change, on: backend)
      if axis.isTriangular {
        trmm(T.transposed, triangle: .upper, into: &change, on: backend, threads: threads)
      } else {
        for j in 0..<n { change[0, j] *= T[0, j] }
      }
    }
    step.set(slot, of: owner, rows: rows, columns: n) {
      $0.assign(Combination(-factorRate / norm, 1), of: change, factor.Q, threads: threads)
    }
  }

  /// Both factors get the geometric mean of their largest elements: a number may move between them, and would without end.
  func balance<S: KernelScalar>(_ axes: [Axis], _ step: inout Step<S>) {
    let factors = axes.compactMap { $0.factor(in: step) }
    if factors.count < 2 { return }
    let sizes = factors.map { factor in
      iamax(factor.Q, on: step.backend).map { abs(Double(factor.Q[$0.row, $0.column])) } ?? 0
    }
    if sizes.contains(0) { return }
    let mean = exp(sizes.reduce(0) { $0 + log($1) } / Double(sizes.count))
    let threads = step.threads
    for (factor, size) in zip(factors, sizes) {
      let (axis, Q) = (factor.axis, factor.Q)
      step.set(axis.slot, of: axis.owner, rows: Q.rows, columns: Q.columns) {
        $0.assign(Combination(mean / size, 0), of: Q, nil, threads: threads)
      }
    }
  }

  /// ‖T·x‖/‖x‖ for T = A + B and x = T²·e, e the place of the largest element of its diagonal: at most the norm of T, and near
  /// it. Lower triangles are read.
  private func spectralNorm<S: KernelScalar>(
    _ A: Matrix<S>, _ B: Matrix<S>, on backend: any Backend
  ) -> Double {
    let n = A.rows
    let largest = (0..<n).max { A[$0, $0] + B[$0, $0] < A[$1, $1] + B[$1, $1] } ?? 0
    var x = Matrix<S>(rows: n, columns: 1)
    x[largest, 0] = 1
    var (length, product) = (1.0, x)
    for _ in 0..<3 {
      symm(A, x, into: &product, on: backend, threads: 1)
      symm(B, x, beta: 1, into: &product, on: backend, threads: 1)
      length = Double(nrm2(product, on: backend))
      guard length.isFinite && length > 0 else { return length }
      copy(product, into: &x, on: backend)
      scal(alpha: S(1 / length), &x, on: backend)
    }
    return length
  }

  private func largestSum<S: KernelScalar>(_ A: Matrix<S>, _ B: Matrix<S>) -> Double {
    (0..<A.columns).reduce(0) { largest, j in
      let sum = Double(A[0, j] + B[0, j])
      return sum <= largest ? largest : sum
    }
  }
}

/// The sums of the squares of each row, or of each column, are added to a row.
private func addSquares<S: KernelScalar>(of X: Matrix<S>, isLeft: Bool, to sums: inout Matrix<S>) {
  let columns = X.columns
  X.withSpan { x in
    sums.withMutableSpan { sums in
      for i in x.indices { sums[isLeft ? i / columns : i % columns] += x[i] * x[i] }
    }
  }
}

private func clear<S: KernelScalar>(_ X: inout Matrix<S>) {
  X.withMutableSpan { x in for i in x.indices { x[i] = 0 } }
}
