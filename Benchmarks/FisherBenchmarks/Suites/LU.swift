import FisherLinearAlgebra

extension Suite {
  /// LU with partial pivoting of a square matrix: ours row-major, a peer's getrf column-major, which each finds easiest. A
  /// fresh copy is made before every call, on both sides.
  static let lu = Suite(name: "lu", symbols: ["?getrf_"]) { types, sizes in
    let orders = sizes.map { $0.map(\.n) } ?? [16, 32, 64, 100, 128, 200, 256, 384, 512, 768, 1024]
    return orders.flatMap { n in types.map { $0 == "f32" ? luCase(Float.self, n) : luCase(Double.self, n) } }
  }

  /// Householder's QR, factors alone: column-major on both sides, a fresh copy before every call.
  static let qr = Suite(name: "qr", symbols: ["?geqrf_"]) { types, sizes in
    let shapes =
      sizes
      ?? [16, 32, 64, 100, 128, 256, 512, 1024].map { Shape($0, $0, $0) } + [
        Shape(1000, 100, 100), Shape(4096, 64, 64),
      ]
    return shapes.flatMap { s in types.map { $0 == "f32" ? qrCase(Float.self, s) : qrCase(Double.self, s) } }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  private static func luCase<S: KernelScalar>(_: S.Type, _ n: Int) -> BenchmarkCase {
    BenchmarkCase(
      "lu", "\(n)x\(n)", S.self, sizes: [("n", n)], flops: 2.0 / 3 * Double(n * n * n), peersDo: "getrf"
    ) { memory in
      let (original, a) = (memory.operand(S.self, n * n, seed: 1), memory.operand(S.self, n * n, seed: 2))
      let pivots = memory.operand(Double.self, n, seed: 3)
      return { backend, threads in
        a.base.update(from: original.base, count: n * n)
        let factors = LUFactors(
          a: a.matrix(n, n, transposed: !(backend is NativeBackend)),
          pivots: UnsafeMutableRawPointer(pivots.base).bindMemory(to: Int.self, capacity: n))
        _ = backend.factorLU(factors, threads: threads)
      }
    }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  private static func qrCase<S: KernelScalar>(_: S.Type, _ shape: Shape) -> BenchmarkCase {
    let (m, n) = (shape.m, shape.n)
    return BenchmarkCase(
      "qr", "\(m)x\(n)", S.self, sizes: [("m", m), ("n", n)],
      flops: 2 * Double(n * n) * (Double(m) - Double(n) / 3), peersDo: "geqrf"
    ) { memory in
      let (original, a) = (memory.operand(S.self, m * n, seed: 1), memory.operand(S.self, m * n, seed: 2))
      let tau = memory.operand(S.self, n, seed: 3)
      return { backend, threads in
        a.base.update(from: original.base, count: m * n)
        backend.factorQR(QRFactors(a: a.matrix(m, n, transposed: true), tau: tau.base), threads: threads)
      }
    }
  }
}
