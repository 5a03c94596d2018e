import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// All m, n, k in 0…20, all transposes of A and B, C row-major and column-major, all α, β in {0, 1, −1, 0.7}.
struct GemmExhaustive: SharedClause {
  static let largest = 20

  func violations<S: KernelScalar>(of backends: [any Backend], _: S.Type) -> Violations {
    var found = Violations()
    let bench = SmallGemmBench<S>(largest: Self.largest)
    for m in 0...Self.largest {
      for n in 0...Self.largest {
        for k in 0...Self.largest where !found.isFull { bench.check(backends, m, n, k, &found) }
      }
    }
    return found
  }

  @Test(arguments: ScalarKind.allCases)
  static func gemmExhaustive(_ kind: ScalarKind) { expect(kind) }
}

/// Memory for small products that is used again for every shape.
private struct SmallGemmBench<S: KernelScalar> {
  private let buffers: [GuardedBuffer<S>]
  private let orders: [Layout] = [
    .rowMajor, .columnMajor, Layout(.rowMajor, padding: 3), Layout(.columnMajor, padding: 1),
  ]

  init(largest: Int) {
    buffers = (0..<7).map { _ in GuardedBuffer(capacity: (largest + 3) * (largest + 3)) }
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  func check(_ backends: [any Backend], _ m: Int, _ n: Int, _ k: Int, _ found: inout Violations) {
    var generator = Generator(seed: UInt64((m * 64 + n) * 64 + k))
    // Odd shapes get the padded layouts, and the two guard pages take turns.
    let orders = (m + n + k) % 2 == 0 ? orders[..<2] : orders[2...]
    let flush = k % 2 == 0 ? Flush.rear : .front
    let inputs: [(a: GuardedMatrix<S>, b: GuardedMatrix<S>)] = zip([0, 2], orders).map { slot, layout in
      let copy = generator
      let a = GuardedMatrix(m, k, layout, flush: flush, in: buffers[slot]).filled(.uniform, &generator)
      let b = GuardedMatrix(k, n, layout, flush: flush, in: buffers[slot + 1]).filled(.uniform, &generator)
      generator = copy
      return (a, b)
    }
    let poison = GuardedMatrix(max(m, k), max(k, n), .rowMajor, in: buffers[4])
    let old = GuardedMatrix(m, n, .rowMajor, in: buffers[5]).filled(.uniform, &generator).elements()
    // Whatever the layouts and whoever computes it.
    let oracle = Oracle(inputs[0].a.readOnly, inputs[0].b.readOnly)
    let factors = GemmCase<S>.factors.flatMap { alpha in GemmCase<S>.factors.map { (alpha, $0) } }
    let expected = factors.map { alpha, beta in oracle.expected(alpha: alpha, beta: beta, old: old) }
    for layoutC in orders {
      let c = GuardedMatrix(m, n, layoutC, flush: flush, in: buffers[6])
      for backend in backends {
        c.buffer.label = "\(backend.name) \(S.self) \(m)×\(n)×\(k) C \(layoutC) \(flush)"
        for transposes in 0..<4 {
          let (a, b) = (inputs[transposes & 1].a, inputs[transposes >> 1].b)
          for ((alpha, beta), expected) in zip(factors, expected) {
            var call = Gemm(alpha: alpha, a: a.readOnly, b: b.readOnly, beta: beta, c: c.pointer)
            if alpha == 0 {
              call.a = poison.readOnly.block(0, 0, rows: m, columns: k)
              call.b = poison.readOnly.block(0, 0, rows: k, columns: n)
            }
            restore(c.pointer, old, poisoned: beta == 0)
            backend.gemm(call, threads: 1)
            let (wrong, damage) = (expected.firstError(in: c.pointer), c.firstDamage())
            if wrong == nil && damage == nil { continue }
            let text = "\(c.buffer.label), A \(a.layout) B \(b.layout), α \(alpha), β \(beta)"
            if let wrong {
              found.add("\(text): C[\(wrong.row), \(wrong.column)] errs by more than its bound")
            }
            if let damage { found.add("\(text): writes into gap \(damage) of C") }
            if found.isFull { return }
          }
        }
      }
    }
  }
}

@specialized(where S == Float)
@specialized(where S == Double)
private func restore<S: KernelScalar>(_ c: MutableMatrixPointer<S>, _ old: [S], poisoned: Bool) {
  for i in 0..<c.rows {
    for j in 0..<c.columns { c[i, j] = poisoned ? .sentinel : old[i * c.columns + j] }
  }
}
