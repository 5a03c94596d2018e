import FisherLinearAlgebra

/// How sums over parameters are computed.
struct GramContext {
  let backend: any Backend
  let threads: Int
  /// Elements of a temporary: 64 MB of `Float`.
  static var most: Int { 1 << 24 }
}

extension SampleGradients {
  /// K[m, n] ← K[m, n] + scale·⟨row m of self, row n of `other`⟩; both are gradients by the same parameter.
  ///
  /// - Parameter other: nil stands for self, where half of the work is enough.
  @specialized(where S == Float) @specialized(where S == Double)
  func addGram(
    with other: SampleGradients?, scale: Double, plusBias: Bool, to K: inout Matrix<Double>,
    _ context: GramContext
  ) {
    switch (self, other ?? self) {
    case (.products(let A, let G, let T), .products(let B, let H, let U)):
      let own = other == nil
      if T == 1 && U == 1 {
        let inputs = Self.gram(A, own ? nil : B, context)
        let outputs = Self.gram(G, own ? nil : H, context)
        Self.addProduct(inputs, outputs, plus: plusBias ? 1 : 0, scale, to: &K)
      } else if Self.isCheaperAsRows(A, G, T, H, U) {
        addMaterialised(A, G, T, own ? nil : (B, H, U), scale, to: &K, context)
      } else {
        Self.addBlockSums(A, G, T, B, H, U, scale, to: &K, context)
      }
    case (.lookups(let tokens, let G, let T), .lookups(let others, let H, let U)):
      Self.addLookups(tokens, G, T, others, H, U, scale, to: &K, context)
    case (.rows(let J), .rows(let L)):
      Self.add(Self.gram(J, other == nil ? nil : L, context), scale, to: &K)
    default: fatalError("SampleGradients: gradients by different parameters")
    }
  }

  /// A·Bᵀ, or A·Aᵀ.
  @specialized(where S == Float) @specialized(where S == Double)
  static func gram(_ A: Matrix<S>, _ B: Matrix<S>?, _ context: GramContext) -> Matrix<S> {
    var result = Matrix<S>(rows: A.rows, columns: (B ?? A).rows)
    if let B {
      gemm(A, B.transposed, into: &result, on: context.backend, threads: context.threads)
    } else {
      syrk(A, into: &result, mirror: true, on: context.backend, threads: context.threads)
    }
    return result
  }

  @specialized(where S == Float) @specialized(where S == Double)
  static func add(_ P: Matrix<S>, _ scale: Double, to K: inout Matrix<Double>) {
    P.withSpan { P in
      K.withMutableSpan { K in
        for i in P.indices { K[i] += scale * Double(P[i]) }
      }
    }
  }

  /// K ← K + scale·(P + c) ∘ Q.
  @specialized(where S == Float) @specialized(where S == Double)
  private static func addProduct(
    _ P: Matrix<S>, _ Q: Matrix<S>, plus c: Double, _ scale: Double, to K: inout Matrix<Double>
  ) {
    P.withSpan { P in
      Q.withSpan { Q in
        K.withMutableSpan { K in
          for i in P.indices { K[i] += scale * (Double(P[i]) + c) * Double(Q[i]) }
        }
      }
    }
  }

  /// Whether forming every gradient takes fewer operations than the products of all pairs of positions.
  private static func isCheaperAsRows(
    _ A: Matrix<S>, _ G: Matrix<S>, _ T: Int, _ H: Matrix<S>, _ U: Int
  ) -> Bool {
    let (a, g) = (Double(A.columns), Double(G.columns))
    let (rows, others) = (Double(G.rows), Double(H.rows))
    let pairs = rows * others * (a + g)
    let formed = (rows + others) * a * g + rows / Double(T) * (others / Double(U)) * a * g
    return formed < pairs
  }

  /// Forms the gradients of some outputs of all samples at a time.
  @specialized(where S == Float) @specialized(where S == Double)
  private func addMaterialised(
    _ A: Matrix<S>, _ G: Matrix<S>, _ T: Int, _ other: (A: Matrix<S>, G: Matrix<S>, T: Int)?, _ scale: Double,
    to K: inout Matrix<Double>, _ context: GramContext
  ) {
    let samples = max(G.rows / T, other.map { $0.G.rows / $0.T } ?? 0)
    let width = max(1, GramContext.most / max(1, samples * A.columns))
    var first = 0
    while first < G.columns {
      let outputs = first..<min(G.columns, first + width)
      let J = Self.formed(A, G, T, outputs, context)
      let L = other.map { Self.formed($0.A, $0.G, $0.T, outputs, context) }
      Self.add(Self.gram(J, L, context), scale, to: &K)
      first = outputs.upperBound
    }
  }

  /// Gₙᵀ·Aₙ for every sample, one gradient a row.
  @specialized(where S == Float) @specialized(where S == Double)
  static func formed(
    _ A: Matrix<S>, _ G: Matrix<S>, _ T: Int, _ outputs: Range<Int>, _ context: GramContext
  ) -> Matrix<S> {
    let samples = G.rows / T
    var J = MatrixStack<S>(count: samples, rows: outputs.count, columns: A.columns)
    gemm(
      MatrixStack(splitting: G[rows: 0..., columns: outputs], count: samples).transposed,
      MatrixStack(splitting: A, count: samples), into: &J, on: context.backend, threads: context.threads)
    return J.stacked.reshaped(rows: samples, columns: outputs.count * A.columns)
  }

  /// K[m, n] += Σ over pairs of positions of (A[m, t]·B[n, u])·(G[m, t]·H[n, u]).
  @specialized(where S == Float) @specialized(where S == Double)
  private static func addBlockSums(
    _ A: Matrix<S>, _ G: Matrix<S>, _ T: Int, _ B: Matrix<S>, _ H: Matrix<S>, _ U: Int, _ scale: Double,
    to K: inout Matrix<Double>, _ context: GramContext
  ) {
    let step = max(1, GramContext.most / max(1, T * H.rows))
    var first = 0
    while first < K.rows {
      let samples = first..<min(K.rows, first + step)
      let rows = samples.lowerBound * T..<samples.upperBound * T
      let P = gram(A[rows: rows, columns: 0...], B, context)
      let Q = gram(G[rows: rows, columns: 0...], H, context)
      for i in 0..<rows.count {
        for j in 0..<H.rows {
          K[first + i / T, j / U] += scale * Double(P[i, j]) * Double(Q[i, j])
        }
      }
      first = samples.upperBound
    }
  }

  /// K[m, n] += Σ over pairs of positions with the same token of G[m, t]·H[n, u].
  ///
  /// In double precision, where products of `Float` are exact: the outputs of a token are multiplied as one matrix.
  @specialized(where S == Float) @specialized(where S == Double)
  private static func addLookups(
    _ tokens: [Int], _ G: Matrix<S>, _ T: Int, _ others: [Int], _ H: Matrix<S>, _ U: Int, _ scale: Double,
    to K: inout Matrix<Double>, _ context: GramContext
  ) {
    let n = G.columns
    let (G, H) = (G.array.map { Double($0) }, H.array.map { Double($0) })
    let lookups = Dictionary(grouping: others.indices) { others[$0] }.mapValues { places in
      (places, Matrix(places.flatMap { H[$0 * n..<($0 + 1) * n] }, rows: places.count, columns: n))
    }
    for i in tokens.indices {
      guard let (places, outputs) = lookups[tokens[i]] else { continue }
      let g = Matrix(Array(G[i * n..<(i + 1) * n]), rows: n, columns: 1)
      var products = Matrix<Double>(rows: places.count, columns: 1)
      gemv(outputs, g, into: &products, on: context.backend, threads: context.threads)
      let row = i / T * K.columns
      products.withSpan { products in
        K.withMutableSpan { K in
          for (k, j) in places.enumerated() { K[row + j / U] += scale * products[k] }
        }
      }
    }
  }
}
