import FisherLinearAlgebra

extension Suite {
  /// The lower triangle of C ← AᵀA (`tn`, A stored k × n) or AAᵀ (`nt`, A stored n × k), row-major.
  package static let syrk = Suite(name: "syrk", symbols: ["cblas_?syrk"]) { types, sizes in
    let shapes = sizes.map { $0.map { ("tn", $0) } } ?? syrkGrid
    return shapes.flatMap { letters, shape in
      types.map { type in
        type == "f32" ? syrkCase(Float.self, letters, shape) : syrkCase(Double.self, letters, shape)
      }
    }
  }

  /// n = 9 … 2048 with k = n and k up to 100 000, as long as A stays below 13 million elements.
  package static let syrkGrid: [(String, Shape)] = {
    var grid: [(String, Shape)] = []
    for n in [9, 16, 32, 64, 100, 128, 256, 512, 1024, 2048] {
      for k in Set([n, 1000, 10_000, 100_000]).sorted() where n * k <= 13_000_000 {
        grid.append(("tn", Shape(n, n, k)))
        if k == n || k == 1000 { grid.append(("nt", Shape(n, n, k))) }
      }
    }
    return grid
  }()

  @specialized(where S == Float) @specialized(where S == Double)
  private static func syrkCase<S: KernelScalar>(_: S.Type, _ letters: String, _ shape: Shape) -> BenchmarkCase
  {
    let (n, k) = (shape.n, shape.k)
    return BenchmarkCase(
      "syrk", "\(letters) \(n)x\(k)", S.self, sizes: [("n", n), ("k", k)],
      flops: Double(n) * Double(n + 1) * Double(k)
    ) { memory in
      let (a, c) = (memory.operand(S.self, n * k, seed: 1), memory.operand(S.self, n * n, seed: 2))
      let call = Syrk(
        alpha: 1, a: a.matrix(n, k, transposed: letters == "tn").readOnly, beta: 0, c: c.matrix(n, n),
        triangle: .lower)
      return { backend, threads in
        backend.syrk(call, threads: threads)
      }
    }
  }
}
