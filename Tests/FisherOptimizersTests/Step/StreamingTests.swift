import FisherLinearAlgebra
import FisherOptimizers
import FisherTestSupport
import Testing

/// Steps over more memory than the caches hold store past them, and leave the same bits as any other.
@Suite struct StreamingTests {
  /// Rows of odd length, of which most begin where no streaming store can; aligned ones; one long row.
  @Test(arguments: [[31, 2051], [1, 1 << 16], [13, 4096], [7, 5], [3, 12]])
  func streamsLeaveTheSameBits(shape: [Int]) {
    check(Float.self, shape)
    check(Double.self, shape)
  }

  private func check<S: KernelScalar>(_: S.Type, _ shape: [Int]) {
    let (rows, columns) = (shape[0], shape[1])
    func numbers(_ rows: Int, _ columns: Int, _ seed: Int) -> Matrix<S> {
      Matrix(rows: rows, columns: columns) { i, j in S((i &* 31 &+ j &* 17 &+ seed) % 101) / 64 }
    }
    let (θ, m, g) = (numbers(rows, columns, 1), numbers(rows, columns, 2), numbers(rows, columns, 3))
    let (a, b) = (numbers(1, rows, 4), numbers(1, columns, 5))
    let plain = run(θ, m, g, a, b, streams: false)
    let streamed = run(θ, m, g, a, b, streams: true)
    #expect(streamed.isFinite && streamed.θ == plain.θ && streamed.m == plain.m, "\(S.self) \(shape)")
    for i in 0..<rows {
      for j in 0..<columns {
        let next = S(0.5) * m[i, j] + g[i, j]
        guard plain.m[i, j] == next, plain.θ[i, j] == θ[i, j] - a[0, i] * b[0, j] * next else {
          Issue.record("\(S.self) \(shape): element \(i), \(j)")
          return
        }
      }
    }
    var bad = g
    bad[rows - 1, columns - 1] = .infinity
    #expect(!run(θ, m, bad, a, b, streams: true).isFinite)
  }

  private func run<S: KernelScalar>(
    _ θ: Matrix<S>, _ m: Matrix<S>, _ g: Matrix<S>, _ a: Matrix<S>, _ b: Matrix<S>, streams: Bool
  ) -> (θ: Matrix<S>, m: Matrix<S>, isFinite: Bool) {
    var (newθ, newM) = (
      Matrix<S>(rows: θ.rows, columns: θ.columns), Matrix<S>(rows: θ.rows, columns: θ.columns)
    )
    var isFinite = false
    newθ.withMutablePointer { newθ in
      newM.withMutablePointer { newM in
        let operands = UpdateOperands(
          value: UpdateTensor(old: θ.withPointer { $0.base }, new: newθ.base),
          gradient: g.withPointer { $0.base }, gradientStride: g.columns,
          slots: [UpdateTensor(old: m.withPointer { $0.base }, new: newM.base)],
          row: a.withPointer { $0.base }, column: b.withPointer { $0.base }, columns: θ.columns,
          streams: streams)
        isFinite = FactoredRule<S>().run(operands, 0..<θ.count)
      }
    }
    withExtendedLifetime((θ, m, g, a, b)) {}
    return (newθ, newM, isFinite)
  }
}

/// m ← m/2 + g; θ ← θ − aᵢ·bⱼ·m.
private struct FactoredRule<S: KernelScalar>: UpdateRule {
  struct State { var m: Lanes<S> }

  func update(_ x: inout Element<S>, _ state: inout State) {
    state.m = S(0.5) * state.m + x.gradient
    x.value -= x.row * x.column * state.m
  }
}
