import FisherLinearAlgebra

extension Suite {
  /// Inverses, factors and solutions of many small matrices: from row-major arrays and into them, and kept interleaved.
  /// A peer loops over its routines for one matrix, on row-major arrays.
  static let batched = Suite(
    name: "batched", symbols: ["?potrf_", "?potri_", "?potrs_", "?getrf_", "?getri_"]
  ) { types, sizes in
    let orders = sizes.map { $0.map(\.n) } ?? [2, 3, 4, 6, 8, 9, 12, 16, 25, 32, 48, 64, 96, 128]
    return orders.flatMap { n in
      types.flatMap { type in
        type == "f32" ? batchedCases(Float.self, n) : batchedCases(Double.self, n)
      }
    }
  }

  private static func batchedCases<S: KernelScalar>(_: S.Type, _ n: Int) -> [BenchmarkCase] {
    [inverseCase(S.self, n), interleavedCase(S.self, n), choleskyCase(S.self, n), solveCase(S.self, n)]
      + (n <= 16 ? [generalCase(S.self, n)] : [])
      + (n == 9 ? [refreshCase(S.self), statisticCase(S.self)] : [])
  }

  /// About 4 MB of matrices, an odd number of them.
  private static func count(_ n: Int) -> Int { max(17, (1 << 20) / (n * n) | 1) }

  /// A call on diagonally dominant matrices; what it writes lies elsewhere.
  @specialized(where S == Float) @specialized(where S == Double)
  private static func arraysCase<S: KernelScalar>(
    _: S.Type, _ name: String, _ n: Int, count: Int? = nil, flops: Double, peersDo: String,
    _ operation: @escaping (any Backend, BatchedMatrices<S>, Int) -> Void
  ) -> BenchmarkCase {
    let count = count ?? Self.count(n)
    return BenchmarkCase(
      "batched", "\(name) \(n)x\(n)", S.self, sizes: [("n", n)], flops: flops * Double(count), batch: count,
      peersDo: peersDo
    ) { memory in
      let (a, results) = (
        memory.operand(S.self, count * n * n, seed: 1), memory.operand(S.self, count * n * n, seed: 2)
      )
      let outcomes = UnsafeMutableBufferPointer<Int32>.allocate(capacity: count)
      for i in 0..<count {
        for r in 0..<n { a.base[(i * n + r) * n + r] += S(n) }
      }
      let call = BatchedMatrices(
        source: BatchOperand(a.matrix(n, n), stride: n * n),
        target: BatchOperand(results.matrix(n, n), stride: n * n), count: count,
        outcomes: outcomes.baseAddress!)
      return { backend, threads in
        operation(backend, call, threads)
      }
    }
  }

  private static func inverseCase<S: KernelScalar>(_: S.Type, _ n: Int, count: Int? = nil) -> BenchmarkCase {
    arraysCase(
      S.self, "SPD inverse", n, count: count, flops: Double(n * n * n), peersDo: "a loop of potrf + potri"
    ) { $0.invertPositiveDefinite($1, threads: $2) }
  }

  private static func choleskyCase<S: KernelScalar>(_: S.Type, _ n: Int) -> BenchmarkCase {
    arraysCase(S.self, "Cholesky", n, flops: Double(n * n * n) / 3, peersDo: "a loop of potrf") {
      $0.factorCholesky($1, threads: $2)
    }
  }

  private static func generalCase<S: KernelScalar>(_: S.Type, _ n: Int) -> BenchmarkCase {
    arraysCase(
      S.self, "inverse", n, flops: 2 * Double(n * n * n), peersDo: "a loop of getrf + getri"
    ) { $0.invertGeneral($1, threads: $2) }
  }

  /// Four right-hand sides for each factor.
  @specialized(where S == Float) @specialized(where S == Double)
  private static func solveCase<S: KernelScalar>(_: S.Type, _ n: Int) -> BenchmarkCase {
    let (count, m) = (count(n), 4)
    return BenchmarkCase(
      "batched", "Cholesky solve \(n)x\(m)", S.self, sizes: [("n", n), ("m", m)],
      flops: 2 * Double(n * n * m) * Double(count), batch: count, peersDo: "a loop of potrs"
    ) { memory in
      let (factors, right) = (
        memory.operand(S.self, count * n * n, seed: 1), memory.operand(S.self, count * n * m, seed: 2)
      )
      // Orthogonal up to a sign, so that solving again and again keeps the numbers in range.
      for i in 0..<count * n * n { factors.base[i] = (i % (n * n)) % (n + 1) == 0 ? 1 : 0 }
      let call = BatchedSolve(
        factor: BatchOperand(factors.matrix(n, n), stride: n * n),
        right: BatchOperand(right.matrix(n, m), stride: n * m), count: count)
      return { backend, threads in
        backend.solveCholesky(call, threads: threads)
      }
    }
  }

  /// Inverses of interleaved matrices of which the lower triangles are kept.
  private static func interleavedCase<S: KernelScalar>(_: S.Type, _ n: Int) -> BenchmarkCase {
    laneCase("interleaved \(n)x\(n)", n, peer: inverseCase(S.self, n), S.self)
  }

  /// The refresh of all blocks of 3 × 3 kernels in a residual network of 32 layers: inverses beside the statistics.
  private static func refreshCase<S: KernelScalar>(_: S.Type) -> BenchmarkCase {
    laneCase("refresh 51248 of 9x9", 9, peer: inverseCase(S.self, 9, count: 51_248), S.self)
  }

  @specialized(where S == Float) @specialized(where S == Double)
  private static func laneCase<S: KernelScalar>(
    _ name: String, _ n: Int, peer: BenchmarkCase, _: S.Type
  ) -> BenchmarkCase {
    BenchmarkCase(
      "batched", name, S.self, sizes: [("n", n)], flops: peer.flops, batch: peer.batch, peersDo: peer.peersDo
    ) { memory in
      // The identity takes as long as any other matrix.
      let source = InterleavedBatch<S>(count: peer.batch!, order: n, storage: .symmetric)
      var inverses = source
      let peerCall = peer.prepare(memory)
      return { backend, threads in
        if backend is NativeBackend {
          inverses.assignInverses(of: source, damping: .absolute(0.003), on: backend, threads: threads)
        } else {
          peerCall(backend, threads)
        }
      }
    }
  }

  /// The running average of outer products of the same blocks, and their products with the momentum.
  @specialized(where S == Float) @specialized(where S == Double)
  private static func statisticCase<S: KernelScalar>(_: S.Type) -> BenchmarkCase {
    let (n, count) = (9, 51_248)
    return BenchmarkCase(
      "batched", "statistic and product \(count) of 9x9", S.self, sizes: [("n", n)],
      flops: Double(3 * n * n) * Double(count), batch: count, peersDo: "two loops of gemm"
    ) { memory in
      let (x, y, full) = (
        memory.operand(S.self, count * n, seed: 1), memory.operand(S.self, count * n, seed: 2),
        memory.operand(S.self, count * n * n, seed: 3)
      )
      var blocks = InterleavedBatch<S>(count: count, order: n, storage: .symmetric)
      let gradients = Matrix<S>(rows: count, columns: n) { i, j in x.base[i * n + j] }
      var products = gradients
      let column = x.matrix(n, 1).readOnly
      let update = Gemm<S>(alpha: 0.1, a: column, b: column.transposed, beta: 0.9, c: full.matrix(n, n))
      let product = Gemm<S>(alpha: 1, a: full.matrix(n, n).readOnly, b: column, beta: 0, c: y.matrix(n, 1))
      return { backend, threads in
        if backend is NativeBackend {
          blocks.addOuterProducts(of: gradients, alpha: 0.1, beta: 0.9, on: backend, threads: threads)
          blocks.multiply(gradients, into: &products, on: backend, threads: threads)
        } else {
          backend.gemm(first: update, count: count, batchStrides: (n, n, n * n), threads: threads)
          backend.gemm(first: product, count: count, batchStrides: (n * n, n, n), threads: threads)
        }
      }
    }
  }
}
