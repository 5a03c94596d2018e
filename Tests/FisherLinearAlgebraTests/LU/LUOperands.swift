import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// Solutions and inverses from factors and to right-hand sides in any strides, between guard pages: nothing but the result
/// is written, and it has the bits that it has in other strides.
struct LUOperands: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let orders = [1, 2, 5, 16, 17, 33, 70] + (backend is ReferenceBackend ? [] : [129, 300])
    for (n, seed) in zip(orders, Seed.cases(orders.count)) {
      var generator = Generator(seed: seed)
      let b = GeneralKind.random.matrix(n, [1, 3, 40][n % 3], S.self, &generator)
      let factored = LUCase<S>(seed: seed, n, n, .random, layout: .rowMajor)
      _ = backend.factorLU(factored.factors, threads: 2)
      let factors = Matrix(factored.a.elements(), rows: n, columns: n)
      var bits: [[UInt64]] = []
      for (k, layout) in Layout.outputs.enumerated() where !found.isFull && (n < 100 || k % 3 == 0) {
        let test = LUCase<S>(seed: seed, factors, "factors", layout: layout)
        for (i, pivot) in factored.pivots.enumerated() { test.pivots[i] = pivot }
        let before = (test.a.snapshot(), Array(test.pivots))
        let target = Layout.outputs[(3 * k + n) % Layout.outputs.count]
        let flush = Flush.allCases[(k + n) % 2]
        let (x, inverse) = (
          GuardedMatrix<S>(n, b.columns, target, flush: flush), GuardedMatrix<S>(n, n, target, flush: flush)
        )
        let place = "\(backend.name) \(test.name) to \(target)"
        var results: [UInt64] = []
        for transposed in [false, true] {
          x.filled(with: b)
          backend.solveLU(test.factors, transposed: transposed, x.pointer, threads: 2)
          results += x.elementBits()
          found.expect(x.firstDamage() == nil, "\(place): the solution is written into gaps")
        }
        backend.invertLU(test.factors, into: inverse.pointer, threads: 2)
        bits.append(results + inverse.elementBits())
        found.expect(inverse.firstDamage() == nil, "\(place): the inverse is written into gaps")
        found.expect((test.a.snapshot(), Array(test.pivots)) == before, "\(place): the factors were written")
      }
      found.expect(
        Set(bits).count <= 1, "\(backend.name) \(S.self) n \(n), seed \(seed): strides change bits")
    }
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func operands(_ subject: Subject) { expect(subject) }
}
