import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// dot, axpy, scal, asum, nrm2 and iamax with all strides and lengths, between guard pages.
struct LevelOne: Clause {
  static let counts = Array(0...40) + [63, 64, 65, 127, 129, 255, 257, 1000, 4097, 100_000]

  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (count, seed) in zip(Self.counts, Seed.cases(Self.counts.count)) {
      for flush in Flush.allCases {
        for layout in VectorLayouts.inputs where !found.isFull {
          var generator = Generator(seed: seed)
          let x = GuardedMatrix<S>(count, 1, layout, flush: flush).filled(.uniform, &generator)
          let y = GuardedMatrix<S>(count, 1, generator.pick(VectorLayouts.outputs), flush: flush)
            .filled(.uniform, &generator)
          let text =
            "FISHER_SEED=\(seed) \(backend.name) \(S.self) count \(count) x \(layout) y \(y.layout) \(flush)"
          for buffer in [x.buffer, y.buffer] { buffer.label = text }
          reductions(backend, x, y, text, &found)
          updates(backend, x, y, text, &generator, &found)
        }
      }
    }
    return found
  }

  private func reductions<S: KernelScalar>(
    _ backend: any Backend, _ x: GuardedMatrix<S>, _ y: GuardedMatrix<S>, _ text: String,
    _ found: inout Violations
  ) {
    let (vector, values) = (x.vector.readOnly, x.elements())
    let dot = Oracle(x.readOnly.transposed, y.readOnly)
      .errorRatio(of: backend.dot(vector, y.vector.readOnly), 0, 0, alpha: 1, beta: 0, old: 0)
    found.expect(dot <= 1, "\(text): dot errs by \(dot) bounds")
    let ones = GuardedMatrix<S>(values.count, 1).filled { _, _ in 1 }
    let magnitudes = GuardedMatrix<S>(1, values.count).filled { _, j in values[j].magnitude }
    let asum = Oracle(magnitudes.readOnly, ones.readOnly)
      .errorRatio(of: backend.asum(vector), 0, 0, alpha: 1, beta: 0, old: 0)
    found.expect(asum <= 1, "\(text): asum errs by \(asum) bounds")
    let norm = Oracle(x.readOnly.transposed, x.readOnly).value(0, 0).squareRoot()
    let error = (Double(backend.nrm2(vector)) - norm).magnitude
    // k roundings under a root count half; one each for the root and the scaling.
    let bound = Double(values.count / 2 + 3) * S.unitRoundoff * norm
    found.expect(error <= bound, "\(text): nrm2 errs by \(error), bound \(bound)")
    let largest = values.indices.reduce(nil) { best, i in
      best.map { values[i].magnitude > values[$0].magnitude ? i : $0 } ?? i
    }
    found.expect(backend.iamax(vector) == largest, "\(text): iamax is not \(String(describing: largest))")
  }

  private func updates<S: KernelScalar>(
    _ backend: any Backend, _ x: GuardedMatrix<S>, _ y: GuardedMatrix<S>, _ text: String,
    _ generator: inout Generator, _ found: inout Violations
  ) {
    let one = GuardedMatrix<S>(1, 1).filled { _, _ in 1 }
    for alpha in [S(0), 1, -1, 0.7] {
      let values = x.elements()
      let old = y.elements()
      if alpha == 0 { x.filled(.poison, &generator) }
      backend.axpy(alpha: alpha, x: x.vector.readOnly, y: y.vector)
      x.filled { i, _ in values[i] }
      let sum = Oracle(x.readOnly, one.readOnly)
      for i in old.indices {
        let ratio = sum.errorRatio(of: y.pointer[i, 0], i, 0, alpha: alpha, beta: 1, old: old[i])
        found.expect(ratio <= 1, "\(text): axpy α \(alpha), y[\(i)] errs by \(ratio) bounds")
      }
      let before = y.elements()
      if alpha == 0 { y.filled(.poison, &generator) }
      backend.scal(alpha: alpha, x: y.vector)
      let isExact = before.indices.allSatisfy { y.pointer[$0, 0] == (alpha == 0 ? 0 : alpha * before[$0]) }
      found.expect(isExact, "\(text): scal α \(alpha) is not the rounded product")
    }
    found.expect(y.firstDamage() == nil && x.firstDamage() == nil, "\(text): writes between the elements")
  }

  @Test(arguments: Subject.all)
  static func levelOne(_ subject: Subject) { expect(subject) }
}

/// nrm2 far from 1, where squares overflow or underflow, and the special values of nrm2, asum and iamax.
struct LevelOneExtremes: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let huge = S.greatestFiniteMagnitude
    let (least, normal) = (S.leastNonzeroMagnitude, S.leastNormalMagnitude)
    for count in [1, 2, 3, 7, 16, 33, 100, 1000] {
      let half = huge / S(count).squareRoot() / 2
      for unit in [half, huge / 1024 / S(count), normal, normal / 4, least * 8, 1] {
        // All elements alike: the norm is unit·√count.
        let x = GuardedMatrix<S>(count, 1).filled { i, _ in i % 2 == 0 ? unit : -unit }
        let got = Double(backend.nrm2(x.vector.readOnly) / unit)
        let exact = Double(count).squareRoot()
        // Near the smallest numbers the result itself may be off by one of them.
        let bound = Double(count / 2 + 4) * S.unitRoundoff * exact + Double(least / unit)
        found.expect(
          (got - exact).magnitude <= bound,
          "\(backend.name) \(S.self): nrm2 of \(count) times \(unit) is \(got)·unit, not \(exact)·unit")
      }
      // One element far above the rest, and all zeros.
      let mixed = GuardedMatrix<S>(count, 1).filled { i, _ in i == count / 2 ? huge : least }
      found.expect(
        backend.nrm2(mixed.vector.readOnly) == huge, "\(backend.name) \(S.self): nrm2 of max and min")
      mixed.filled { _, _ in 0 }
      found.expect(backend.nrm2(mixed.vector.readOnly) == 0, "\(backend.name) \(S.self): nrm2 of zeros")
      specials(backend, mixed, &found)
    }
    let empty = GuardedMatrix<S>(0, 1).vector.readOnly
    found.expect(
      backend.nrm2(empty) == 0 && backend.asum(empty) == 0 && backend.dot(empty, empty) == 0
        && backend.iamax(empty) == nil, "\(backend.name) \(S.self): empty vectors")
    return found
  }

  /// NaN, infinity and ties at the first, a middle and the last place.
  private func specials<S: KernelScalar>(
    _ backend: any Backend, _ x: GuardedMatrix<S>, _ found: inout Violations
  ) {
    let count = x.rows
    let vector = x.vector.readOnly
    for place in [0, count / 2, count - 1] {
      for value in [S.nan, .infinity, -.infinity] {
        x.filled { i, _ in i == place ? value : S(i % 3) }
        let text = "\(backend.name) \(S.self) count \(count), \(value) at \(place)"
        let expected = value.isNaN ? Kind.nan : .infinite
        found.expect(Kind(backend.nrm2(vector)) == expected, "\(text): nrm2")
        found.expect(Kind(backend.asum(vector)) == expected, "\(text): asum")
        found.expect(backend.iamax(vector) == place, "\(text): iamax")
      }
      x.filled { i, _ in i >= place ? (i % 2 == 0 ? 5 : -5) : 1 }
      found.expect(backend.iamax(vector) == place, "\(backend.name) \(S.self) count \(count): iamax of ties")
      x.filled { i, _ in i >= place ? .nan : .infinity }
      found.expect(backend.iamax(vector) == place, "\(backend.name) \(S.self) count \(count): iamax of NaNs")
    }
  }

  @Test(arguments: Subject.all)
  static func levelOneExtremes(_ subject: Subject) { expect(subject) }
}
