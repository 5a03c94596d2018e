import FisherLinearAlgebra

extension Suite {
  /// C ← A·B, row-major; the letters tell which operand is stored transposed.
  package static let gemm = Suite(name: "gemm", symbols: ["cblas_?gemm"]) { types, sizes in
    let shapes = sizes.map { $0.map { ("nn", $0) } } ?? gemmGrid
    return shapes.flatMap { letters, shape in
      types.map { type in
        type == "f32" ? gemmCase(Float.self, letters, shape) : gemmCase(Double.self, letters, shape)
      }
    }
  }

  /// Squares of all sizes, transposes, layers of networks, tall and wide, short and long k.
  package static let gemmGrid: [(String, Shape)] = {
    let squares = [
      4, 5, 8, 13, 16, 17, 24, 31, 32, 48, 63, 64, 65, 96, 100, 127, 128, 129, 200, 255, 256, 257, 384, 511,
      512, 513,
      768, 1000, 1024, 1500, 2048,
    ]
    var grid = squares.map { ("nn", Shape($0, $0, $0)) }
    for n in [8, 32, 64, 100, 256, 512, 1000] {
      grid += ["nt", "tn", "tt"].map { ($0, Shape(n, n, n)) }
    }
    // Forward passes, batch × in · in × out, and two weight gradients.
    for batch in [32, 128, 1000] {
      for (input, output) in [(784, 1000), (1000, 10), (512, 512), (4096, 1024), (100, 100)] {
        grid.append(("nn", Shape(batch, output, input)))
      }
      grid.append(("tn", Shape(1000, 784, batch)))
      grid.append(("nt", Shape(batch, 784, 10)))
    }
    let long: [(String, Shape)] = [
      ("nn", Shape(1024, 1024, 1)), ("nn", Shape(1024, 1024, 4)), ("nn", Shape(1024, 1024, 16)),
      ("nn", Shape(64, 64, 100_000)), ("tn", Shape(64, 64, 100_000)), ("tn", Shape(10, 10, 100_000)),
      ("tn", Shape(9, 9, 10_000)), ("nn", Shape(1000, 8, 1000)), ("nn", Shape(8, 1000, 1000)),
      ("nn", Shape(4, 4096, 1024)), ("nn", Shape(4096, 4, 1024)), ("nn", Shape(2000, 16, 2000)),
      ("nn", Shape(16, 2000, 2000)), ("nt", Shape(4, 4096, 1024)), ("nt", Shape(16, 2000, 2000)),
      ("nn", Shape(100_000, 32, 32)), ("nt", Shape(16, 16, 10_000)),
    ]
    return grid + long
  }()

  @specialized(where S == Float) @specialized(where S == Double)
  private static func gemmCase<S: KernelScalar>(_: S.Type, _ letters: String, _ shape: Shape) -> BenchmarkCase
  {
    let (m, n, k) = (shape.m, shape.n, shape.k)
    return BenchmarkCase(
      "gemm", "\(letters) \(m)x\(n)x\(k)", S.self, sizes: [("m", m), ("n", n), ("k", k)],
      flops: 2 * Double(m) * Double(n) * Double(k)
    ) { memory in
      let (a, b, c) = (
        memory.operand(S.self, m * k, seed: 1), memory.operand(S.self, k * n, seed: 2),
        memory.operand(S.self, m * n, seed: 3)
      )
      let call = Gemm(
        alpha: 1, a: a.matrix(m, k, transposed: letters.first == "t").readOnly,
        b: b.matrix(k, n, transposed: letters.last == "t").readOnly, beta: 0, c: c.matrix(m, n))
      return { backend, threads in
        backend.gemm(call, threads: threads)
      }
    }
  }
}
