import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// One factorization between guard pages.
struct QRCase<S: KernelScalar> {
  let matrix: Matrix<S>
  let a: GuardedMatrix<S>
  let tau: GuardedMatrix<S>
  let name: String

  init(seed: UInt64, _ m: Int, _ n: Int, _ kind: GeneralKind, layout: Layout? = nil) {
    var generator = Generator(seed: seed)
    matrix = kind.matrix(m, n, S.self, &generator)
    let layout = layout ?? generator.pick(Layout.outputs)
    a = GuardedMatrix<S>(m, n, layout, flush: generator.pick(Flush.allCases))
    tau = GuardedMatrix<S>(min(m, n), 1, .columnMajor)
    name = "FISHER_SEED=\(seed) \(S.self) \(kind) \(m)×\(n) \(layout)"
    a.buffer.label = name
    tau.buffer.label = name
    reset()
  }

  func reset() { a.filled(with: matrix) }

  var factors: QRFactors<S> { QRFactors(a: a.pointer, tau: tau.pointer.base) }

  /// Q·C or Qᵀ·C through the backend, in a layout drawn from the seed.
  func applyQ(_ backend: any Backend, transposed: Bool, _ c: Matrix<S>, isIdentity: Bool, seed: UInt64)
    -> Matrix<S>
  {
    var generator = Generator(seed: seed)
    let target = GuardedMatrix<S>(c.rows, c.columns, generator.pick(Layout.outputs)).filled(with: c)
    backend.applyQ(factors, transposed: transposed, to: target.pointer, isIdentity: isIdentity, threads: 2)
    precondition(target.firstDamage() == nil, "\(name): writes into the gaps of C")
    return Matrix(target.elements(), rows: c.rows, columns: c.columns)
  }
}

/// ‖A − Q·R‖/(max(m, n)·‖A‖·ε), the same for every column, ‖QᵀQ − I‖/(m·ε) and ‖QᵀQ·C − C‖ ratios below 30.
struct QRResiduals: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for shape in GeneralShape.all(for: backend) where !found.isFull && min(shape.m, shape.n) > 0 {
      let (m, n, seed) = (shape.m, shape.n, shape.seed)
      let test = QRCase<S>(seed: seed, m, n, shape.kind)
      backend.factorQR(test.factors, threads: 2)
      let (k, unit, place) = (min(m, n), Ratio.unit(test.matrix), "\(backend.name) \(test.name)")
      let r = Ratio.double(test.a.readOnly, .upper, rows: k, unit: unit)
      let columns = seed % 2 == 0 && m <= 200 ? m : k
      let q = test.applyQ(
        backend, transposed: false, Matrix(rows: m, columns: columns) { i, j in i == j ? 1 : 0 },
        isIdentity: true, seed: seed)
      let a = Ratio.double(test.matrix, unit: unit)
      let thin = Ratio.double(q[rows: 0..., columns: 0..<k])
      let residual = Ratio.residual(a, thin, r)
      let ratio = Ratio.quotient(residual, max(m, n), Ratio.norm(a), S.self)
      found.expect(ratio < 30, "\(place): ‖A − Q·R‖ ratio \(ratio)")
      // Columns for themselves: also small ones beside large ones.
      let (errors, norms) = (Ratio.columnNorms(a, minus: thin, r), Ratio.columnNorms(a))
      for j in 0..<n {
        let ratio = Ratio.quotient(errors[j], max(m, n), norms[j], S.self)
        found.expect(ratio < 30, "\(place): ratio \(ratio) of column \(j)")
      }
      let orthogonality = Ratio.orthogonality(q)
      found.expect(orthogonality < 30, "\(place): ‖QᵀQ − I‖ ratio \(orthogonality)")
      let c = Matrix<S>(rows: m, columns: 3) { i, j in S((i * 7 + j * 5) % 11) - 5 }
      let image = test.applyQ(backend, transposed: true, c, isIdentity: false, seed: seed &+ 1)
      let back = test.applyQ(backend, transposed: false, image, isIdentity: false, seed: seed &+ 2)
      let change = Ratio.norm(Ratio.difference(Ratio.double(back), Ratio.double(c)))
      let roundTrip = Ratio.quotient(change, m, Ratio.norm(Ratio.double(c)), S.self)
      found.expect(roundTrip < 30, "\(place): ‖Q·QᵀC − C‖ ratio \(roundTrip)")
      found.expect(test.a.firstDamage() == nil, "\(place): writes into the gaps of A")
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func residuals(_ subject: Subject) { expect(subject) }
}

/// The factors agree with those of the naive reference: the signs are part of the definition.
struct QRDefinition: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (n, seed) in zip(1...24, Seed.cases(24)) where !found.isFull {
      // Well conditioned, so that R itself is well determined.
      let test = QRCase<S>(seed: seed, n + Int(seed % 3) * 5, n, .upper)
      let expected = QRCase<S>(seed: seed, n + Int(seed % 3) * 5, n, .upper)
      backend.factorQR(test.factors, threads: 1)
      ReferenceBackend().factorQR(expected.factors, threads: 1)
      for (x, y) in zip(
        test.a.elements() + test.tau.elements(), expected.a.elements() + expected.tau.elements())
      {
        let error = (Double(x) - Double(y)).magnitude
        found.expect(
          error <= 400 * Double(n) * S.unitRoundoff, "\(backend.name) \(test.name): \(x), not \(y)")
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func agreesWithTheReference(_ subject: Subject) { expect(subject) }
}

/// The same bits for any number of threads and any strides.
struct QRBits: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for n in [40, 450] where !found.isFull && !(n > 100 && backend is ReferenceBackend) {
      var bits: [[UInt64]] = []
      for layout in [Layout.rowMajor, .columnMajor, Layout(.columnMajor, padding: 5)] {
        let test = QRCase<S>(seed: Seed.first, n + 3, n, .random, layout: layout)
        for threads in n == 40 ? [1, 3] : [1, 2, 3, 7] {
          test.reset()
          backend.factorQR(test.factors, threads: threads)
          bits.append(test.a.elementBits() + test.tau.elementBits())
        }
      }
      found.expect(
        Set(bits).count == 1, "\(backend.name) \(S.self) n \(n): threads or strides change the bits")
    }
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func bits(_ subject: Subject) { expect(subject) }
}

/// The public type.
struct QRTests {
  @Test func byHand() {
    let qr = QR<Double>([[3, 1], [4, 2], [0, 2]])
    let r = qr.r
    #expect((r[0, 0] + 5).magnitude < 1e-15 && (r[0, 1] + 2.2).magnitude < 1e-15 && r[1, 0] == 0)
    #expect((r[1, 1].magnitude - 4.16.squareRoot()).magnitude < 1e-15)
    let (thin, full) = (qr.q(), qr.q(full: true))
    #expect(thin.rows == 3 && thin.columns == 2 && full.columns == 3)
    #expect(Ratio.orthogonality(full) < 30)
    #expect(qr.dependentColumn == nil)
  }

  @Test func leastSquaresIsOrthogonalToTheColumns() throws {
    var generator = Generator(seed: Seed.first)
    let a = GeneralKind.random.matrix(60, 20, Double.self, &generator)
    let b = GeneralKind.random.matrix(60, 2, Double.self, &generator)
    let x = try QR(a).solving(b)
    let residual = a.transposed.multiplied(by: Ratio.difference(b, a.multiplied(by: x)))
    #expect(Ratio.norm(residual) < 1e-12)
  }

  @Test func dependentAndEmpty() {
    #expect(QR<Float>([[1, 0, 2], [0, 0, 1], [2, 0, 3]]).dependentColumn == 1)
    let empty = QR(Matrix<Float>(rows: 4, columns: 0))
    #expect(empty.q(full: true) == Matrix(identity: 4) && empty.r.isEmpty)
  }
}
