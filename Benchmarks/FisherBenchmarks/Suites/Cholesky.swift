import FisherLinearAlgebra

extension Suite {
  /// L·Lᵀ = A from the lower triangle of a row-major A into other memory.
  static let cholesky = Suite(name: "cholesky", symbols: ["?potrf_"]) { types, sizes in
    let orders = sizes.map { $0.map(\.n) } ?? [8, 16, 32, 48, 64, 100, 128, 256, 400, 512, 1000, 1024, 2048]
    return orders.flatMap { n in
      types.map { $0 == "f32" ? choleskyCase(Float.self, n) : choleskyCase(Double.self, n) }
    }
  }

  /// A⁻¹ from the lower triangle of a row-major A into that of other memory.
  static let inverse = Suite(name: "inverse", symbols: ["?potrf_", "?potri_"]) { types, sizes in
    let orders = sizes.map { $0.map(\.n) } ?? [16, 32, 64, 100, 128, 256, 400, 512, 1024, 2048]
    return orders.flatMap { n in
      types.map { $0 == "f32" ? inverseCase(Float.self, n) : inverseCase(Double.self, n) }
    }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  private static func choleskyCase<S: KernelScalar>(_: S.Type, _ n: Int) -> BenchmarkCase {
    BenchmarkCase(
      "cholesky", "potrf \(n)", S.self, sizes: [("n", n)], flops: Double(n) * Double(n) * Double(n) / 3
    ) { memory in
      let (a, l) = (positiveDefinite(S.self, n, memory), memory.operand(S.self, n * n, seed: 2))
      let call = Potrf(source: a.matrix(n, n).readOnly, target: l.matrix(n, n), triangle: .lower)
      return { backend, threads in
        _ = backend.potrf(call, threads: threads)
      }
    }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  private static func inverseCase<S: KernelScalar>(_: S.Type, _ n: Int) -> BenchmarkCase {
    BenchmarkCase(
      "inverse", "SPD inverse \(n)", S.self, sizes: [("n", n)],
      flops: Double(n) * Double(n) * Double(n), peersDo: "potrf + potri"
    ) { memory in
      let (a, x) = (positiveDefinite(S.self, n, memory), memory.operand(S.self, n * n, seed: 2))
      let call = Potrf(source: a.matrix(n, n).readOnly, target: x.matrix(n, n), triangle: .lower)
      return { backend, threads in
        _ = backend.invertPositiveDefinite(call, mirror: false, threads: threads)
      }
    }
  }

  /// A matrix with a dominant diagonal.
  private static func positiveDefinite<S: KernelScalar>(_: S.Type, _ n: Int, _ memory: Memory) -> Operand<S> {
    let a = memory.operand(S.self, n * n, seed: 1)
    for i in 0..<n { a.base[i * n + i] += S(n) }
    return a
  }
}
