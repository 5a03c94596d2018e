import FisherLinearAlgebra

extension Suite {
  /// Kronecker-factored preconditioners of m × n gradients: explicit inverses, Cholesky factors, and a quotient in an
  /// eigenbasis. A peer is asked for the same products and triangular solutions; it divides in a pass of its own.
  static let kronecker = Suite(name: "kronecker", symbols: ["cblas_?gemm", "cblas_?trsm"]) { types, sizes in
    let shapes = sizes?.map { ($0.m, $0.n) } ?? [(64, 64), (128, 784), (256, 256), (500, 1000), (1000, 1000)]
    return shapes.flatMap { m, n in
      types.flatMap { type in
        type == "f32" ? kroneckerCases(Float.self, m, n) : kroneckerCases(Double.self, m, n)
      }
    }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  private static func kroneckerCases<S: KernelScalar>(_: S.Type, _ m: Int, _ n: Int) -> [BenchmarkCase] {
    let flops = 2 * Double(m) * Double(n) * Double(m + n)
    func matrix(_ rows: Int, _ columns: Int, seed: UInt64, _ memory: Memory) -> Matrix<S> {
      let operand = memory.operand(S.self, rows * columns, seed: seed)
      // A dominant diagonal, as the factor of a Cholesky factorization has it.
      return Matrix(rows: rows, columns: columns) { i, j in
        operand.base[i * columns + j] / S(columns) + (i == j ? 1 : 0)
      }
    }
    func subject(
      _ name: String, _ peersDo: String, flops: Double,
      _ call: @escaping (KroneckerBasis<S>, Matrix<S>, inout Matrix<S>, any Backend, Int) -> Void
    ) -> BenchmarkCase {
      BenchmarkCase(
        "kronecker", "\(name) \(m)x\(n)", S.self, sizes: [("m", m), ("n", n)], flops: flops, peersDo: peersDo
      ) { memory in
        let sides = KroneckerBasis(left: matrix(m, m, seed: 1, memory), right: matrix(n, n, seed: 2, memory))
        let gradient = matrix(m, n, seed: 3, memory)
        var result = Matrix<S>(rows: m, columns: n)
        return { backend, threads in call(sides, gradient, &result, backend, threads) }
      }
    }
    let spectrum = KroneckerSpectrum<S>.outer(
      left: Matrix(repeating: 1, rows: m, columns: 1), right: Matrix(repeating: 1, rows: n, columns: 1),
      damping: 0.5)
    return [
      subject("inverses", "two gemm", flops: flops) { sides, g, result, backend, threads in
        applyKronecker(
          left: .explicit(sides.left), g, right: .explicit(sides.right), into: &result, on: backend,
          threads: threads)
      },
      subject("Cholesky", "four trsm", flops: flops) { sides, g, result, backend, threads in
        applyKronecker(
          left: .cholesky(sides.left), g, right: .cholesky(sides.right), into: &result, on: backend,
          threads: threads)
      },
      subject("eigenbasis", "four gemm and a pass", flops: 2 * flops) { sides, g, result, backend, threads in
        sides.divide(g, by: spectrum, into: &result, on: backend, threads: threads)
      },
    ]
  }
}
