import FisherLinearAlgebra

extension SampleGradients {
  /// sum ← Σₙ wₙ·∇ℓₙ, whatever it was before.
  @specialized(where S == Float) @specialized(where S == Double)
  func weightedSum(_ w: [Double], into sum: inout Matrix<S>, _ context: GramContext) {
    switch self {
    case .products(let A, let G, _) where w.allSatisfy({ $0 == w[0] }):
      let factor = S(w.first ?? 0)
      gemm(alpha: factor, G.transposed, A, into: &sum, on: context.backend, threads: context.threads)
    case .products(let A, let G, let T):
      let scaled = Self.scaled(G, by: w, T)
      gemm(scaled.transposed, A, into: &sum, on: context.backend, threads: context.threads)
    case .lookups(let tokens, let G, let T):
      sum = Matrix(rows: sum.rows, columns: sum.columns)
      for (i, token) in tokens.enumerated() {
        let factor = S(w[i / T])
        for j in 0..<G.columns { sum[token, j] += factor * G[i, j] }
      }
    case .rows(let J):
      let weights = Matrix<S>(w.map { S($0) }, rows: 1, columns: w.count)
      sum = weights.multiplied(by: J, on: context.backend, threads: context.threads)
        .reshaped(rows: sum.rows, columns: sum.columns)
    }
  }

  /// ‖∇ℓₙ‖² for every sample.
  @specialized(where S == Float) @specialized(where S == Double)
  func squaredNorms(_ context: GramContext) -> [Double] {
    switch self {
    case .products(let A, let G, 1): return zip(Self.squares(A), Self.squares(G)).map { $0 * $1 }
    case .rows(let J): return Self.squares(J)
    case .products(let A, let G, let T):
      return (0..<G.rows / T).map { n in
        let rows = n * T..<(n + 1) * T
        let P = Self.gram(A[rows: rows, columns: 0...], nil, context)
        let Q = Self.gram(G[rows: rows, columns: 0...], nil, context)
        return zip(P.array, Q.array).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      }
    case .lookups(let tokens, let G, let T):
      return (0..<G.rows / T).map { n in
        let rows = n * T..<(n + 1) * T
        var K = Matrix<Double>(rows: 1, columns: 1)
        SampleGradients.lookups(
          tokens: Array(tokens[rows]), outputs: G[rows: rows, columns: 0...], positions: T
        ).addGram(with: nil, scale: 1, plusBias: false, to: &K, context)
        return K[0, 0]
      }
    }
  }

  /// The rows of every sample times its factor.
  @specialized(where S == Float) @specialized(where S == Double)
  private static func scaled(_ G: Matrix<S>, by w: [Double], _ T: Int) -> Matrix<S> {
    var result = G.compacted()
    let width = G.columns
    result.withMutableSpan { rows in
      for i in 0..<G.rows {
        let factor = S(w[i / T])
        for j in i * width..<(i + 1) * width { rows[j] *= factor }
      }
    }
    return result
  }

  @specialized(where S == Float) @specialized(where S == Double)
  private static func squares(_ x: Matrix<S>) -> [Double] {
    x.withSpan { values in
      (0..<x.rows).map { i in
        var sum = 0.0
        for j in i * x.columns..<(i + 1) * x.columns { sum += Double(values[j]) * Double(values[j]) }
        return sum
      }
    }
  }
}
