import FisherLinearAlgebra

extension Suite {
  /// f(x) of 4096 elements in the first-level cache, and the softmax of 64 rows of 10 and of 1000; one thread.
  ///
  /// `flops` counts one for each element.
  static let elementwise = Suite(name: "elementwise", symbols: []) { types, sizes in
    let counts = sizes.map { $0.map(\.n) } ?? [4096]
    return types.flatMap { type in
      type == "f32" ? elementwiseCases(Float.self, counts) : elementwiseCases(Double.self, counts)
    }
  }

  private static func elementwiseCases<S: KernelScalar>(_: S.Type, _ counts: [Int]) -> [BenchmarkCase] {
    let functions = counts.flatMap { n in
      ElementwiseFunction.allCases.map { function in
        BenchmarkCase(
          "elementwise", "\(function.rawValue) \(n)", S.self, sizes: [("n", n)], flops: Double(n),
          peersDo: "ours, for want of their own"
        ) { memory in
          let (x, y) = (memory.operand(S.self, n, seed: 1), memory.operand(S.self, n, seed: 2))
          for i in 0..<n { x.base[i] = 2 + 2 * x.base[i] }
          return { backend, _ in
            backend.map(function, x.base, to: y.base, count: n)
          }
        }
      }
    }
    let rows = [10, 1000].map { n in
      BenchmarkCase(
        "elementwise", "softmax 64x\(n)", S.self, sizes: [("m", 64), ("n", n)], flops: Double(64 * n),
        peersDo: "ours, for want of their own"
      ) { memory in
        let (x, y) = (memory.operand(S.self, 64 * n, seed: 1), memory.operand(S.self, 64 * n, seed: 2))
        return { backend, _ in
          backend.softmax(x.matrix(64, n).readOnly, to: y.matrix(64, n), sums: nil)
        }
      }
    }
    return functions + rows
  }
}
