import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates

/// The operands of a case in guarded memory. What must not be read holds NaN: the old C if β = 0, A and B if α = 0.
struct GemmOperands<S: KernelScalar> {
  let test: GemmCase<S>
  let a, b, c, bias: GuardedMatrix<S>
  let call: Gemm<S>
  private let before: (a: [UInt64], b: [UInt64], c: [S], bias: [UInt64])

  init(_ test: GemmCase<S>) {
    self.test = test
    var generator = Generator(seed: test.seed &+ 1)
    let inputs = test.alpha == 0 ? Content.poison : test.content
    a = GuardedMatrix(test.m, test.k, test.layouts.a, flush: test.flush.a).filled(inputs, &generator)
    b = GuardedMatrix(test.k, test.n, test.layouts.b, flush: test.flush.b).filled(inputs, &generator)
    c = GuardedMatrix(test.m, test.n, test.layouts.c, flush: test.flush.c)
      .filled(test.beta == 0 ? .poison : test.content, &generator)
    let biasCount = test.bias == .row ? test.n : test.m
    bias = GuardedMatrix(biasCount, 1, generator.pick([.columnMajor, Layout(.columnMajor, inner: 2)]))
      .filled(test.content, &generator)
    let vector = bias.vector.readOnly
    let place: Epilogue<S>.Bias =
      switch test.bias {
      case .none: .none
      case .row: .row(vector)
      case .column: .column(vector)
      }
    call = Gemm(
      alpha: test.alpha, a: a.readOnly, b: b.readOnly, beta: test.beta, c: c.pointer,
      epilogue: Epilogue(bias: place, activation: test.activation))
    before = (a.snapshot(), b.snapshot(), c.elements(), bias.snapshot())
    for matrix in [a, b, c, bias] { matrix.buffer.label = "\(test)" }
  }

  /// A·B, for the check: the same for every backend that computes the case.
  var oracle: Oracle { test.alpha == 0 ? Oracle(absent: test.m, test.n) : Oracle(call.a, call.b) }

  /// Checks C against the definition, and that nothing else was written.
  func check(_ backend: any Backend, _ found: inout Violations, _ oracle: Oracle? = nil) {
    let worst = worstElement(
      oracle ?? self.oracle, c.readOnly, test.alpha, test.beta, before.c, call.epilogue.bias,
      call.epilogue.isIdentity ? nil : test.activation)
    found.expect(
      worst.ratio <= 1,
      "\(backend.name): C[\(worst.i), \(worst.j)] errs by \(worst.ratio) bounds; \(test)")
    if let place = c.firstDamage() {
      found.add("\(backend.name): writes into the gaps of C at offset \(place); \(test)")
    }
    let same = a.snapshot() == before.a && b.snapshot() == before.b && bias.snapshot() == before.bias
    found.expect(same, "\(backend.name): writes into an input; \(test)")
  }
}

/// The element that errs most, in units of its bound.
@specialized(where S == Float)
@specialized(where S == Double)
private func worstElement<S: KernelScalar>(
  _ oracle: Oracle, _ c: MatrixPointer<S>, _ alpha: S, _ beta: S, _ old: [S], _ bias: Epilogue<S>.Bias,
  _ activation: Activation<S>?
) -> (ratio: Double, i: Int, j: Int) {
  var worst = (ratio: 0.0, i: 0, j: 0)
  for i in 0..<c.rows {
    for j in 0..<c.columns {
      let shift: S =
        switch bias {
        case .none: 0
        case .row(let values): values[j]
        case .column(let values): values[i]
        }
      let ratio = oracle.errorRatio(
        of: c[i, j], i, j, alpha: alpha, beta: beta, old: old[i * c.columns + j],
        epilogue: activation.map { (shift, $0) })
      if ratio > worst.ratio { worst = (ratio, i, j) }
    }
  }
  return worst
}
