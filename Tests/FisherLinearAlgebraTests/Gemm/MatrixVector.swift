import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// A vector layout: a column with a stride, reversed or not.
enum VectorLayouts {
  static let outputs = [Layout(.columnMajor), Layout(.columnMajor, inner: 2), Layout(.columnMajor, inner: 5)]
  static let inputs =
    outputs + [Layout(.columnMajor, flipsRows: true), Layout(.columnMajor, inner: 3, flipsRows: true)]
}

/// gemv in every layout of A and strides of the vectors, between guard pages.
struct GemvClause: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for seed in Seed.cases(600) where !found.isFull {
      var generator = Generator(seed: seed)
      let sizes = Array(0...40) + [63, 64, 65, 255, 257, 511, 513, 1025]
      let (m, k) = (generator.pick(sizes), generator.pick(sizes))
      let alpha: S = generator.pick([0, 1, -1, 0.7])
      let beta: S = generator.pick([0, 1, -1, 0.7])
      let flush = generator.pick(Flush.allCases)
      let layout = generator.pick(Layout.inputs)
      let inputs = alpha == 0 ? Content.poison : .uniform
      let a = GuardedMatrix<S>(m, k, layout, flush: flush).filled(inputs, &generator)
      let x = GuardedMatrix<S>(k, 1, generator.pick(VectorLayouts.inputs), flush: flush)
        .filled(inputs, &generator)
      let old = GuardedMatrix<S>(m, 1).filled(.uniform, &generator)
      let y = GuardedMatrix<S>(m, 1, generator.pick(VectorLayouts.outputs), flush: flush)
        .filled { i, j in beta == 0 ? .sentinel : old.pointer[i, j] }
      let text =
        "FISHER_SEED=\(seed) \(backend.name) \(S.self) gemv \(m)×\(k) A \(layout) x \(x.layout) y \(y.layout) "
        + "\(flush) α \(alpha) β \(beta)"
      for buffer in [a.buffer, x.buffer, y.buffer] { buffer.label = text }
      backend.gemv(
        Gemv(alpha: alpha, a: a.readOnly, x: x.vector.readOnly, beta: beta, y: y.vector),
        threads: generator.pick(1...3))
      let oracle = alpha == 0 ? Oracle(absent: m, 1) : Oracle(a.readOnly, x.readOnly)
      for i in 0..<m {
        let ratio = oracle.errorRatio(
          of: y.pointer[i, 0], i, 0, alpha: alpha, beta: beta, old: old.pointer[i, 0])
        found.expect(ratio <= 1, "\(text): y[\(i)] errs by \(ratio) bounds")
      }
      found.expect(y.firstDamage() == nil, "\(text): writes into the gaps of y")
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func gemv(_ subject: Subject) { expect(subject) }
}

/// ger in every layout: A ← A + α·x·yᵀ, within the three roundings of an element.
struct GerClause: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for seed in Seed.cases(400) where !found.isFull {
      var generator = Generator(seed: seed)
      let sizes = Array(0...40) + [63, 64, 65, 129, 257]
      let (m, n) = (generator.pick(sizes), generator.pick(sizes))
      let alpha: S = generator.pick([1, -1, 0.7])
      let flush = generator.pick(Flush.allCases)
      let x = GuardedMatrix<S>(m, 1, generator.pick(VectorLayouts.inputs), flush: flush)
        .filled(.uniform, &generator)
      let y = GuardedMatrix<S>(n, 1, generator.pick(VectorLayouts.inputs), flush: flush)
        .filled(.uniform, &generator)
      let old = GuardedMatrix<S>(m, n).filled(.uniform, &generator)
      let a = GuardedMatrix<S>(m, n, generator.pick(Layout.outputs), flush: flush)
        .filled { i, j in old.pointer[i, j] }
      let text =
        "FISHER_SEED=\(seed) \(backend.name) \(S.self) ger \(m)×\(n) A \(a.layout) x \(x.layout) y \(y.layout) "
        + "\(flush) α \(alpha)"
      for buffer in [a.buffer, x.buffer, y.buffer] { buffer.label = text }
      backend.ger(
        alpha: alpha, x: x.vector.readOnly, y: y.vector.readOnly, a: a.pointer,
        threads: generator.pick(1...3))
      let oracle = Oracle(x.readOnly, y.readOnly.transposed)
      for i in 0..<m {
        for j in 0..<n {
          let ratio = oracle.errorRatio(
            of: a.pointer[i, j], i, j, alpha: alpha, beta: 1, old: old.pointer[i, j])
          found.expect(ratio <= 1, "\(text): A[\(i), \(j)] errs by \(ratio) bounds")
        }
      }
      found.expect(a.firstDamage() == nil, "\(text): writes into the gaps of A")
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func ger(_ subject: Subject) { expect(subject) }
}
