import FisherRuntime

// Each matrix by the definition, in double precision.

extension ReferenceBackend {
  /// A⁻¹ = L⁻ᵀ·L⁻¹ with the Cholesky factor L.
  public func invertPositiveDefinite<S: KernelScalar>(
    _ calls: UnsafeBufferPointer<BatchedMatrices<S>>, threads: Int
  ) {
    each(calls, readsAll: false) { a in
      let (l, bad) = Self.choleskyFactor(a)
      if let bad { return .failure(bad) }
      let identity = a.indices.map { r in a.indices.map { $0 == r ? 1.0 : 0 } }
      let inverse = Self.choleskySolution(l, identity)
      // The lower triangle on both sides of the diagonal.
      let symmetric = a.indices.map { r in a.indices.map { inverse[max(r, $0)][min(r, $0)] } }
      return .success((symmetric, Self.logDeterminant(l)))
    }
  }

  /// A = L·Lᵀ
  public func factorCholesky<S: KernelScalar>(
    _ calls: UnsafeBufferPointer<BatchedMatrices<S>>, threads: Int
  ) {
    each(calls, readsAll: false) { a in
      let (l, bad) = Self.choleskyFactor(a)
      return bad.map { .failure($0) } ?? .success((l, Self.logDeterminant(l)))
    }
  }

  /// Gauss-Jordan elimination of (A | I) with partial pivoting.
  public func invertGeneral<S: KernelScalar>(
    _ calls: UnsafeBufferPointer<BatchedMatrices<S>>, threads: Int
  ) { each(calls, readsAll: true) { Self.eliminate($0) } }

  /// L·(Lᵀ·X) = B
  public func solveCholesky<S: KernelScalar>(_ call: BatchedSolve<S>, threads: Int) {
    let n = call.factor.rows
    for i in 0..<call.count {
      let l = (0..<n).map { r in (0..<n).map { c in r >= c ? Double(call.factor[i, r, c]) : 0 } }
      let b = (0..<n).map { r in (0..<call.right.columns).map { Double(call.right[i, r, $0]) } }
      for (r, row) in Self.choleskySolution(l, b).enumerated() {
        for (c, x) in row.enumerated() { call.right[i, r, c] = S(x) }
      }
    }
  }

  /// β·A + α·Σ x·xᵀ
  public func addOuterProducts<S: KernelScalar>(_ call: BatchedOuterProducts<S>, threads: Int) {
    for i in 0..<call.samples.rows {
      for r in 0..<call.source.rows {
        for c in 0...r {
          var sum = call.beta == 0 ? 0 : Double(call.beta) * Double(call.source[i, r, c])
          for s in 0..<call.sampleCount {
            var sample = call.samples
            sample.base += s * call.sampleStride
            sum += Double(call.alpha) * Double(sample[i, r]) * Double(sample[i, c])
          }
          call.target[i, r, c] = S(sum)
        }
      }
    }
  }

  /// A·x
  public func multiply<S: KernelScalar>(_ call: BatchedProducts<S>, threads: Int) {
    let n = call.matrices.rows
    for i in 0..<call.x.rows {
      for r in 0..<n {
        call.y[i, r] = S(
          (0..<n).reduce(0.0) {
            $0 + Double(call.matrices[i, max(r, $1), min(r, $1)]) * Double(call.x[i, $1])
          })
      }
    }
  }

  /// Element by element.
  public func copy<S: KernelScalar>(
    _ source: BatchOperand<S>, to target: BatchOperand<S>, count: Int, threads: Int
  ) {
    let isLower = source.form == .interleavedTriangles || target.form == .interleavedTriangles
    for i in 0..<count {
      for r in 0..<source.rows {
        for c in 0..<source.columns {
          target[i, r, c] = isLower ? source[i, max(r, c), min(r, c)] : source[i, r, c]
        }
      }
    }
  }

  /// What became of a matrix: the result and log |det|, or the first bad pivot.
  private enum Outcome {
    case success((matrix: [[Double]], logDeterminant: Double))
    case failure(Int)
  }

  private func each<S: KernelScalar>(
    _ calls: UnsafeBufferPointer<BatchedMatrices<S>>, readsAll: Bool, _ operation: ([[Double]]) -> Outcome
  ) {
    for call in calls {
      let n = call.order
      for i in 0..<call.count {
        var a = (0..<n).map { r in
          (0..<n).map { c in Double(readsAll ? call.source[i, r, c] : call.source[i, max(r, c), min(r, c)]) }
        }
        let damping = call.damping { a[$0][$0] }
        for r in 0..<n { a[r][r] += damping }
        switch operation(a) {
        case .failure(let pivot):
          call.outcomes[i] = Int32(pivot)
          call.logDeterminants?[i] = .nan
        case .success(let result):
          call.outcomes[i] = -1
          call.logDeterminants?[i] = S(result.logDeterminant)
          for r in 0..<n { for c in 0..<n { call.target[i, r, c] = S(result.matrix[r][c]) } }
        }
      }
    }
  }

  private static func choleskyFactor(_ a: [[Double]]) -> (l: [[Double]], badPivot: Int?) {
    var l = a.map { _ in a.map { _ in 0.0 } }
    for j in a.indices {
      let pivot = a[j][j] - (0..<j).reduce(0) { $0 + l[j][$1] * l[j][$1] }
      guard pivot > 0 else { return ([], j) }
      l[j][j] = pivot.squareRoot()
      for i in a.indices where i > j {
        l[i][j] = (a[i][j] - (0..<j).reduce(0) { $0 + l[i][$1] * l[j][$1] }) / l[j][j]
      }
    }
    return (l, nil)
  }

  private static func logDeterminant(_ l: [[Double]]) -> Double {
    l.indices.reduce(0) { $0 + 2 * log(l[$1][$1]) }
  }

  /// Column by column: L·y = b, then Lᵀ·x = y.
  private static func choleskySolution(_ l: [[Double]], _ b: [[Double]]) -> [[Double]] {
    var x = b
    for c in (b.first ?? []).indices {
      for i in l.indices { x[i][c] = (x[i][c] - (0..<i).reduce(0) { $0 + l[i][$1] * x[$1][c] }) / l[i][i] }
      for i in l.indices.reversed() {
        x[i][c] = (x[i][c] - (i + 1..<l.count).reduce(0) { $0 + l[$1][i] * x[$1][c] }) / l[i][i]
      }
    }
    return x
  }

  private static func eliminate(_ a: [[Double]]) -> Outcome {
    let n = a.count
    var rows = a.indices.map { r in a[r] + a.indices.map { $0 == r ? 1.0 : 0 } }
    var logDeterminant = 0.0
    for k in 0..<n {
      var p = k
      for i in k..<n where rows[i][k].magnitude > rows[p][k].magnitude { p = i }
      rows.swapAt(k, p)
      let pivot = rows[k][k]
      guard pivot.magnitude > 0 else { return .failure(k) }
      logDeterminant += log(pivot.magnitude)
      rows[k] = rows[k].map { $0 / pivot }
      for i in 0..<n where i != k {
        let factor = rows[i][k]
        rows[i] = zip(rows[i], rows[k]).map { $0 - factor * $1 }
      }
    }
    return .success((rows.map { Array($0[n...]) }, logDeterminant))
  }
}
