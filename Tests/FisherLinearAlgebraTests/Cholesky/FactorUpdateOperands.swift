import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// Updates of factors in either triangle and any strides, between guard pages: the other triangle is neither read nor
/// written, nor is X, and the bits are those of other strides.
struct FactorUpdateOperands: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (n, seed) in zip([0, 1, 2, 5, 17, 33], Seed.cases(6)) {
      var generator = Generator(seed: seed)
      // A well conditioned factor, and an X so small that the difference is as well conditioned.
      let factor = Matrix<S>(rows: n, columns: n) { i, j in
        let x: S = generator.uniform()
        return j > i ? 0 : i == j ? 1 + x.magnitude : x / S(n)
      }
      let x = Matrix<S>(rows: n, columns: 3) { _, _ in
        let y: S = generator.uniform()
        return y / S(8 * n)
      }
      for sign in [FloatingPointSign.plus, .minus] {
        var bits: [[UInt64]] = []
        for (k, layout) in Layout.outputs.enumerated() where !found.isFull {
          let triangle = Triangle.allCases[(k + n) % 2]
          let target = GuardedMatrix<S>(n, n, layout, flush: Flush.allCases[k / 2 % 2])
          target.filled(with: triangle == .lower ? factor : factor.transposed, only: triangle)
          let columns = GuardedMatrix<S>(n, 3, Layout.outputs[(3 * k + n) % 8]).filled(with: x)
          let before = columns.snapshot()
          let bad = backend.updateFactor(
            FactorUpdate(factor: target.pointer, triangle: triangle, x: columns.readOnly, sign: sign))
          let place =
            "\(backend.name) \(S.self) n \(n) \(triangle) \(layout), X \(columns.layout), seed \(seed)"
          found.expect(bad == nil, "\(place): refused at \(bad ?? -1)")
          found.expect(target.firstDamage() == nil, "\(place): writes into the gaps")
          found.expect(target.firstDamage(outside: triangle) == nil, "\(place): writes the other triangle")
          found.expect(columns.snapshot() == before, "\(place): writes into X")
          let lower = triangle == .lower ? target.readOnly : target.readOnly.transposed
          bits.append((0..<n).flatMap { i in (0...i).map { lower[i, $0].bits } })
        }
        found.expect(
          Set(bits).count <= 1, "\(backend.name) \(S.self) n \(n), seed \(seed): strides change bits")
      }
    }
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func operands(_ subject: Subject) { expect(subject) }
}
