import FisherLinearAlgebra

extension Suite {
  /// B ← T⁻¹·B (left) or B·T⁻ᵀ (right, what a Cholesky factorization solves), T lower, B row-major.
  static let trsm = Suite(name: "trsm", symbols: ["cblas_?trsm"]) { types, sizes in
    let shapes = sizes.map { $0.flatMap { [("left", $0), ("right", $0)] } } ?? trsmGrid
    return shapes.flatMap { side, shape in
      types.map { type in
        type == "f32" ? trsmCase(Float.self, side, shape) : trsmCase(Double.self, side, shape)
      }
    }
  }

  /// Orders n = 16 … 2048 with as many right-hand sides, with 1000, and with few.
  static let trsmGrid: [(String, Shape)] = {
    var grid: [(String, Shape)] = []
    for n in [16, 32, 64, 100, 128, 256, 512, 1000, 1024, 2048] {
      for m in n < 1000 ? [n, 1000] : [n] {
        grid += ["left", "right"].map { ($0, Shape(m, n, n)) }
      }
    }
    for n in [64, 512] {
      for m in [1, 8] { grid.append(("left", Shape(m, n, n))) }
    }
    return grid
  }()

  /// The shape's n is the order of T, its m the number of right-hand sides.
  @specialized(where S == Float) @specialized(where S == Double)
  private static func trsmCase<S: KernelScalar>(_: S.Type, _ side: String, _ shape: Shape) -> BenchmarkCase {
    let (m, n) = (shape.m, shape.n)
    let isLeft = side == "left"
    return BenchmarkCase(
      "trsm", "\(side) \(n)x\(n) with \(m)", S.self, sizes: [("n", n), ("m", m)],
      flops: Double(n) * Double(n) * Double(m)
    ) { memory in
      // A diagonal of −1 and 1 and small elements elsewhere: the numbers stay alike however often the call is repeated.
      let (t, b) = (memory.operand(S.self, n * n, seed: 1), memory.operand(S.self, n * m, seed: 2))
      for i in 0..<n * n { t.base[i] /= S(n * n) }
      for i in 0..<n { t.base[i * n + i] = i % 2 == 0 ? 1 : -1 }
      let matrix = t.matrix(n, n).readOnly
      let call = Trsm(
        side: isLeft ? .left : .right, triangle: isLeft ? .lower : .upper, alpha: 1,
        a: isLeft ? matrix : matrix.transposed, b: isLeft ? b.matrix(n, m) : b.matrix(m, n))
      return { backend, threads in
        backend.trsm(call, threads: threads)
      }
    }
  }
}
