import FisherLinearAlgebra

extension Suite {
  /// All eigenvalues and eigenvectors of a symmetric matrix with random elements; the peer's syevd. Flops are counted as
  /// 4·n³: 4/3 for the tridiagonal form, 2/3 for its vectors as they come with some deflation, 2 to transform them.
  static let eigen = Suite(name: "eigen", symbols: ["?syevd_"]) { types, sizes in
    let orders = sizes.map { $0.map(\.n) } ?? [16, 32, 64, 100, 128, 200, 256, 384, 512, 1024]
    return orders.flatMap { n in
      types.map { $0 == "f32" ? eigenCase(Float.self, n) : eigenCase(Double.self, n) }
    }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  private static func eigenCase<S: KernelScalar>(_: S.Type, _ n: Int) -> BenchmarkCase {
    BenchmarkCase(
      "eigen", "symmetric \(n)x\(n)", S.self, sizes: [("n", n)], flops: 4 * Double(n * n * n),
      peersDo: "syevd"
    ) { memory in
      let (a, v, w) = (
        memory.operand(S.self, n * n, seed: 1), memory.operand(S.self, n * n, seed: 2),
        memory.operand(S.self, n, seed: 3)
      )
      let call = SymmetricEigenCall(
        a: a.matrix(n, n).readOnly, vectors: v.matrix(n, n, transposed: true), values: w.base)
      return { backend, threads in
        _ = backend.symmetricEigen(call, threads: threads)
      }
    }
  }
}
