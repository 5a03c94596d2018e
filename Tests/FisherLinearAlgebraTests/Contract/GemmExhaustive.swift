import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// All m, n, k in 0…20, all transposes of A and B, C row-major and column-major, all α, β in {0, 1, −1, 0.7}.
struct GemmExhaustive: Clause {
  static let largest = 20

  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let bench = SmallGemmBench<S>(largest: Self.largest)
    for m in 0...Self.largest {
      for n in 0...Self.largest {
        for k in 0...Self.largest where !found.isFull { bench.check(backend, m, n, k, &found) }
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func gemmExhaustive(_ subject: Subject) { expect(subject) }
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

  func check(_ backend: any Backend, _ m: Int, _ n: Int, _ k: Int, _ found: inout Violations) {
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
    let oracle = Oracle(inputs[0].a.readOnly, inputs[0].b.readOnly)
    for layoutC in orders {
      let c = GuardedMatrix(m, n, layoutC, flush: flush, in: buffers[6])
      for transposes in 0..<4 {
        let (a, b) = (inputs[transposes & 1].a, inputs[transposes >> 1].b)
        c.buffer.label =
          "\(backend.name) \(S.self) \(m)×\(n)×\(k) A \(a.layout) B \(b.layout) C \(layoutC) \(flush)"
        for alpha in GemmCase<S>.factors {
          for beta in GemmCase<S>.factors {
            var call = Gemm(alpha: alpha, a: a.readOnly, b: b.readOnly, beta: beta, c: c.pointer)
            if alpha == 0 {
              call.a = poison.readOnly.block(0, 0, rows: m, columns: k)
              call.b = poison.readOnly.block(0, 0, rows: k, columns: n)
            }
            restore(c.pointer, old, poisoned: beta == 0)
            backend.gemm(call, threads: 1)
            let ratio = worstRatio(call, oracle, old)
            if ratio > 1 { found.add("\(c.buffer.label), α \(alpha), β \(beta): errs by \(ratio) bounds") }
            if let place = c.firstDamage() { found.add("\(c.buffer.label): writes into gap \(place) of C") }
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

@specialized(where S == Float)
@specialized(where S == Double)
private func worstRatio<S: KernelScalar>(_ call: Gemm<S>, _ oracle: Oracle, _ old: [S]) -> Double {
  var worst = 0.0
  for i in 0..<call.c.rows {
    for j in 0..<call.c.columns {
      let ratio = oracle.errorRatio(
        of: call.c[i, j], i, j, alpha: call.alpha, beta: call.beta, old: old[i * call.c.columns + j])
      worst = max(worst, ratio)
    }
  }
  return worst
}
