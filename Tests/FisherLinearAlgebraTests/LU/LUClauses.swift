import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// One factorization between guard pages.
struct LUCase<S: KernelScalar> {
  let matrix: Matrix<S>
  let a: GuardedMatrix<S>
  private let pivotBuffer: GuardedBuffer<Int>
  let name: String

  init(seed: UInt64, _ m: Int, _ n: Int, _ kind: GeneralKind, layout: Layout? = nil) {
    var generator = Generator(seed: seed)
    self.init(seed: seed, kind.matrix(m, n, S.self, &generator), "\(kind)", layout: layout)
  }

  init(seed: UInt64, _ matrix: Matrix<S>, _ kind: String = "", layout: Layout? = nil) {
    var generator = Generator(seed: ~seed)
    let (m, n) = (matrix.rows, matrix.columns)
    self.matrix = matrix
    let layout = layout ?? generator.pick(Layout.outputs)
    a = GuardedMatrix<S>(m, n, layout, flush: generator.pick(Flush.allCases))
    pivotBuffer = GuardedBuffer<Int>(capacity: min(m, n))
    name = "FISHER_SEED=\(seed) \(S.self) \(kind) \(m)×\(n) \(layout)"
    a.buffer.label = name
    reset()
  }

  func reset() { a.filled(with: matrix) }

  var pivots: UnsafeMutableBufferPointer<Int> {
    pivotBuffer.place(min(a.rows, a.columns), flush: .rear)
  }

  var factors: LUFactors<S> { LUFactors(a: a.pointer, pivots: pivots.baseAddress!) }

  /// P·A with the exchanges in order, divided by a power of two.
  func permuted(unit: Double) -> Matrix<Double> {
    var rows = Array(0..<matrix.rows)
    for (j, p) in pivots.enumerated() { rows.swapAt(j, p) }
    let a = Ratio.double(matrix, unit: unit)
    return Matrix(rows: a.rows, columns: a.columns) { i, j in a[rows[i], j] }
  }
}

/// ‖P·A − L·U‖/(n·‖A‖·ε) < 30, |L| ≤ 1, and nothing outside is touched.
struct LUResiduals: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for shape in GeneralShape.all(for: backend) where !found.isFull && min(shape.m, shape.n) > 0 {
      let test = LUCase<S>(seed: shape.seed, shape.m, shape.n, shape.kind)
      let (m, n) = (shape.m, shape.n)
      _ = backend.factorLU(test.factors, threads: 2)
      let place = "\(backend.name) \(test.name)"
      let inRange = test.pivots.enumerated().allSatisfy { $1 >= $0 && $1 < m }
      found.expect(inRange, "\(place): pivots \(Array(test.pivots))")
      if !inRange { continue }
      let (k, unit) = (min(m, n), Ratio.unit(test.matrix))
      let l = Ratio.double(test.a.readOnly, .unitLower, columns: k)
      let u = Ratio.double(test.a.readOnly, .upper, rows: k, unit: unit)
      let largest = l.array.reduce(0) { max($0, $1.magnitude) }
      found.expect(largest <= 1 + S.unitRoundoff * 4, "\(place): a multiplier of \(largest)")
      let pa = test.permuted(unit: unit)
      let ratio = Ratio.quotient(Ratio.residual(pa, l, u), n, Ratio.norm(pa), S.self)
      found.expect(ratio < 30, "\(place): ‖P·A − L·U‖ ratio \(ratio)")
      found.expect(test.a.firstDamage() == nil, "\(place): writes into the gaps of A")
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func residuals(_ subject: Subject) { expect(subject) }
}

/// ‖B − A·X‖/(‖A‖·‖X‖·ε), for Aᵀ too, and ‖I − A·A⁻¹‖/(n·‖A‖·‖A⁻¹‖·ε) < 30.
struct LUSolutions: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let large = [191, 193, 256, 257, 321, 512, 513, 600]
    let orders = Array(1...70) + (backend is ReferenceBackend ? [] : [97, 128, 129, 130] + large)
    for (n, seed) in zip(orders, Seed.cases(orders.count)) {
      for (k, kind) in GeneralKind.allCases.enumerated() where kind.isSolvable && !found.isFull {
        // The largest take the kinds in turn.
        if n > 130 && (n + k) % 4 != 0 { continue }
        let test = LUCase<S>(seed: seed, n, n, kind)
        let place = "\(backend.name) \(test.name)"
        let lu = LU(test.matrix, on: backend, threads: 2)
        found.expect(lu.singularPivot == nil, "\(place): singular at \(String(describing: lu.singularPivot))")
        let unit = Ratio.unit(test.matrix)
        let a = Ratio.double(test.matrix, unit: unit)
        // Solutions of about 1, so that neither they nor the right-hand sides leave the range.
        let b = test.matrix.multiplied(by: Matrix<S>(rows: n, columns: 3) { i, j in S(1 + (i + j) % 3) / 4 })
        for transposed in [false, true] {
          guard let solution = try? lu.solving(b, transposed: transposed, on: backend, threads: 2) else {
            found.add("\(place): no solution")
            continue
          }
          let x = Ratio.double(solution)
          let left = transposed ? a.transposed : a
          let residual = Ratio.residual(Ratio.double(b, unit: unit), left, x)
          let ratio = Ratio.quotient(residual, 1, Ratio.norm(left) * Ratio.norm(x), S.self)
          found.expect(ratio < 30, "\(place): ‖B − A·X‖ ratio \(ratio), transposed \(transposed)")
        }
        guard let inverse = try? lu.inverse(on: backend, threads: 2) else {
          found.add("\(place): no inverse")
          continue
        }
        // 1/unit may overflow, and a product with it too.
        let x = Ratio.double(inverse, unit: 1 / unit)
        let ratio = Ratio.inverse(a, x, S.self)
        found.expect(ratio < 30, "\(place): ‖I − A·A⁻¹‖ ratio \(ratio)")
        let exact = 1 / (Ratio.norm(a) * Ratio.norm(x))
        let estimate = Double(lu.reciprocalCondition(on: backend, threads: 2))
        // Where the inverse itself is uncertain, so is its norm.
        let isCertain = exact > 1000 * Double(n) * Double(S.ulpOfOne)
        found.expect(
          !isCertain || (estimate > 0.9 * exact && estimate < 5 * exact + 1e-30),
          "\(place): reciprocal condition \(estimate), not \(exact)")
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func solutions(_ subject: Subject) { expect(subject) }
}

/// A column of zeros is found at every index of several orders and around the blocks of a larger one; the factorization
/// is complete all the same, and holds a zero there.
struct LUSingular: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let every = [1, 2, 3, 5, 8, 16, 17, 33, 48, 64, 70].map { ($0, Array(0..<$0)) }
    let some = [(300, [0, 1, 31, 32, 33, 63, 64, 65, 127, 128, 129, 191, 192, 255, 256, 257, 298, 299])]
    for (n, columns) in backend is ReferenceBackend ? every : every + some {
      let test = LUCase<S>(seed: Seed.first &+ UInt64(n), n, n, .random)
      for column in columns where !found.isFull {
        test.reset()
        for i in 0..<n { test.a.pointer[i, column] = 0 }
        let pivot = backend.factorLU(test.factors, threads: 1 + column % 3)
        let place = "\(backend.name) \(test.name): column \(column) is 0"
        found.expect(pivot == column, "\(place), reported \(String(describing: pivot))")
        let l = Ratio.double(test.a.readOnly, .unitLower)
        let u = Ratio.double(test.a.readOnly, .upper)
        var pa = test.permuted(unit: 1)
        for i in 0..<n { pa[i, column] = 0 }
        let ratio = Ratio.quotient(Ratio.residual(pa, l, u), n, Ratio.norm(pa), S.self)
        found.expect(ratio < 30, "\(place), ‖P·A − L·U‖ ratio \(ratio)")
        // The columns behind it have their pivots all the same.
        let largest = l.array.reduce(0) { max($0, $1.magnitude) }
        found.expect(largest <= 1 + S.unitRoundoff * 4, "\(place), a multiplier of \(largest)")
      }
      test.reset()
      for j in 0..<n { test.a.pointer[n / 2, j] = .nan }
      let bad = backend.factorLU(test.factors, threads: 1)
      found.expect(bad != nil, "\(backend.name) \(test.name): a row of NaN is not reported")
    }
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func singular(_ subject: Subject) { expect(subject) }
}

/// Where no two candidates for a pivot are close, the exchanges and factors are those of the naive reference.
struct LUDefinition: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (n, seed) in zip(1...40, Seed.cases(40)) where !found.isFull {
      var generator = Generator(seed: seed)
      // A permuted matrix with a dominant diagonal: elimination keeps it dominant, so no rounding changes a pivot.
      let places = (0..<n).shuffled(using: &generator)
      let matrix = Matrix<S>(rows: n, columns: n) { i, j in
        let x: S = generator.uniform()
        return places[i] == j ? x < 0 ? x - 2 : x + 2 : x / S(n)
      }
      let (test, expected) = (LUCase<S>(seed: seed, matrix), LUCase<S>(seed: seed, matrix))
      let place = "\(backend.name) \(test.name)"
      let singular = (
        backend.factorLU(test.factors, threads: 2), ReferenceBackend().factorLU(expected.factors, threads: 1)
      )
      found.expect(singular == (nil, nil), "\(place): \(singular)")
      found.expect(Array(test.pivots) == Array(expected.pivots), "\(place): other exchanges")
      for (x, y) in zip(test.a.elements(), expected.a.elements()) {
        // The condition is below 8 and the elements are below 4.
        let error = (Double(x) - Double(y)).magnitude
        found.expect(error <= 64 * Double(n + 1) * S.unitRoundoff, "\(place): \(x), not \(y)")
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func agreesWithTheReference(_ subject: Subject) { expect(subject) }
}

/// The same bits for any number of threads and any strides.
struct LUBits: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for n in [40, 700] where !found.isFull && !(n > 100 && backend is ReferenceBackend) {
      var bits: [[UInt64]] = []
      for layout in [Layout.rowMajor, .columnMajor, Layout(.rowMajor, padding: 5)] {
        let test = LUCase<S>(seed: Seed.first, n, n, .random, layout: layout)
        for threads in n == 40 ? [1, 3] : [1, 2, 3, 7] {
          test.reset()
          _ = backend.factorLU(test.factors, threads: threads)
          bits.append(test.a.elementBits())
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
struct LUTests {
  @Test func byHand() throws {
    let lu = LU<Double>([[1, 2], [4, 2]])
    #expect(lu.pivots == [1, 1])
    #expect(lu.factors == [[4, 2], [0.25, 1.5]])
    let (sign, magnitude) = lu.determinant
    #expect(sign == -1 && (magnitude - 1.791759469228055).magnitude < 1e-15)
    #expect(try lu.solving([[5], [8]]) == [[1], [2]])
    #expect(lu.reconstructed() == [[1, 2], [4, 2]])
    // ‖A‖₁ = 5, A⁻¹ = [[−1/3, 1/3], [2/3, −1/6]], ‖A⁻¹‖₁ = 1.
    #expect((lu.reciprocalCondition() - 0.2).magnitude < 1e-15)
  }

  @Test func singularAndEmpty() throws {
    let lu = LU<Float>([[1, 2], [2, 4]])
    #expect(lu.singularPivot == 1)
    #expect(lu.determinant.sign == 0 && lu.determinant.logMagnitude == -.infinity)
    #expect(lu.reciprocalCondition() == 0)
    let empty = LU(Matrix<Float>(rows: 0, columns: 0))
    #expect(empty.determinant.sign == 1 && empty.reciprocalCondition() == 1)
    #expect(try empty.inverse().isEmpty)
  }
}
