import FisherLinearAlgebra

extension Suite {
  /// Inverses of many small symmetric positive definite matrices: from row-major arrays and into them, and kept
  /// interleaved. A peer loops over its potrf and potri, on row-major arrays.
  static let batched = Suite(name: "batched", symbols: ["?potrf_", "?potri_"]) { types, sizes in
    let orders = sizes.map { $0.map(\.n) } ?? [2, 3, 4, 6, 8, 9, 12, 16, 25, 32, 48, 64, 96, 128]
    return orders.flatMap { n in
      types.flatMap { type in
        type == "f32"
          ? [batchedCase(Float.self, n), interleavedCase(Float.self, n)]
          : [batchedCase(Double.self, n), interleavedCase(Double.self, n)]
      }
    }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  private static func batchedCase<S: KernelScalar>(_: S.Type, _ n: Int) -> BenchmarkCase {
    // About 4 MB of matrices, an odd number of them.
    let count = max(17, (1 << 20) / (n * n) | 1)
    return BenchmarkCase(
      "batched", "SPD inverse \(n)x\(n)", S.self, sizes: [("n", n)],
      flops: Double(n * n * n) * Double(count), batch: count, peersDo: "a loop of potrf + potri"
    ) {
      let (a, inverses) = (Operand<S>(count * n * n, seed: 1), Operand<S>(count * n * n, seed: 2))
      let outcomes = UnsafeMutableBufferPointer<Int32>.allocate(capacity: count)
      for i in 0..<count {
        for r in 0..<n { a.base[(i * n + r) * n + r] += S(n) }
      }
      let call = BatchedInverse(
        source: a.matrix(n, n).readOnly, sourceStride: n * n, target: inverses.matrix(n, n),
        targetStride: n * n,
        count: count, outcomes: outcomes.baseAddress!)
      return { backend, threads in
        withExtendedLifetime((a, inverses)) { backend.invertPositiveDefinite(call, threads: threads) }
      }
    }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  private static func interleavedCase<S: KernelScalar>(_: S.Type, _ n: Int) -> BenchmarkCase {
    let arrays = batchedCase(S.self, n)
    let count = arrays.batch!
    return BenchmarkCase(
      "batched", "interleaved \(n)x\(n)", S.self, sizes: [("n", n)], flops: arrays.flops, batch: count,
      peersDo: arrays.peersDo
    ) {
      // The identity is its own inverse, and takes as long as any other matrix.
      var batch = InterleavedBatch<S>(count: count, order: n)
      let peer = arrays.prepare()
      return { backend, threads in
        if backend is NativeBackend {
          batch.invertPositiveDefinite(threads: threads)
        } else {
          peer(backend, threads)
        }
      }
    }
  }
}
