import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// ‖A·P − Q·R‖/(max(m, n)·‖A‖·ε) < 30, P is a permutation, and each |rⱼⱼ| is the longest rest of the columns behind it.
struct PivotedQRResiduals: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for shape in GeneralShape.all(for: backend) where !found.isFull && min(shape.m, shape.n) > 0 {
      let (m, n) = (shape.m, shape.n)
      let test = QRCase<S>(seed: shape.seed, m, n, shape.kind)
      let place = "\(backend.name) pivoted \(test.name)"
      var permutation = [Int](repeating: -1, count: n)
      permutation.withUnsafeMutableBufferPointer {
        backend.factorPivotedQR(test.factors, permutation: $0.baseAddress!, threads: 2)
      }
      guard permutation.sorted() == Array(0..<n) else {
        found.add("\(place): \(permutation) is no permutation")
        continue
      }
      let (k, unit) = (min(m, n), Ratio.unit(test.matrix))
      let r = Ratio.double(test.a.readOnly, .upper, rows: k, unit: unit)
      let q = test.applyQ(
        backend, transposed: false, Matrix(rows: m, columns: k) { i, j in i == j ? 1 : 0 },
        isIdentity: true, seed: shape.seed)
      let whole = Ratio.double(test.matrix, unit: unit)
      let a = Matrix(rows: m, columns: n) { i, j in whole[i, permutation[j]] }
      let ratio = Ratio.quotient(Ratio.residual(a, Ratio.double(q), r), max(m, n), Ratio.norm(a), S.self)
      found.expect(ratio < 30, "\(place): ‖A·P − Q·R‖ ratio \(ratio)")
      found.expect(Ratio.orthogonality(q) < 30, "\(place): ‖QᵀQ − I‖ ratio \(Ratio.orthogonality(q))")
      found.expect(test.a.firstDamage() == nil, "\(place): writes into the gaps of A")
      // Lengths are known up to some √ε of their own and some ε of all.
      let epsilon = Double(S.ulpOfOne)
      let slack = Double(n) * epsilon * Ratio.norm(a)
      var rests = [Double](repeating: 0, count: n)
      for j in (0..<k).reversed() where !found.isFull {
        for c in j..<n { rests[c] += r[j, c] * r[j, c] }
        let longest = rests[j...].max()!.squareRoot()
        found.expect(
          longest <= r[j, j].magnitude * (1 + 16 * epsilon.squareRoot()) + slack,
          "\(place): |r| is \(r[j, j]) in column \(j), and a rest \(longest)")
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func residuals(_ subject: Subject) { expect(subject) }
}

/// A = B·C·2ᵉ with B lower and C upper unit trapezoidal of integers: of rank k without a rounding.
struct RankCase<S: KernelScalar> {
  let a: Matrix<S>
  /// n × (n − k): C·N = 0.
  let null: Matrix<Double>

  init(_ m: Int, _ n: Int, rank k: Int, exponent: Int, _ generator: inout Generator) {
    // Few elements in large matrices: the condition of a unit triangle grows like a power.
    let stride = min(m, n) > 9 ? 4 : 1
    let b = Matrix<Double>(rows: m, columns: k) { i, j in
      i == j ? 1 : i < j || (i + 2 * j) % stride != 0 ? 0 : generator.integer(in: -1...1)
    }
    // A column of zeros now and then.
    let zero = k < n ? Int.random(in: k..<n, using: &generator) : n
    let c = Matrix<Double>(rows: k, columns: n) { i, j in
      i == j ? 1 : i > j || j == zero || (i + 2 * j) % stride != 0 ? 0 : generator.integer(in: -1...1)
    }
    let unit = S(sign: .plus, exponent: S.Exponent(exponent), significand: 1)
    let product = b.multiplied(by: c)
    a = Matrix(rows: m, columns: n) { i, j in S(product[i, j]) * unit }
    var x = c[rows: 0..., columns: k...]
    trsm(c[rows: 0..., columns: 0..<k], triangle: .upper, into: &x)
    let top = x
    null = Matrix(rows: n, columns: n - k) { i, j in i < k ? -top[i, j] : i - k == j ? 1 : 0 }
  }
}

/// The rank of matrices made to have it, the shortest of the least-squares solutions by what defines it, and the refusal of
/// plain QR: every shape up to 9 × 9 with every rank, at both ends of the range.
struct PivotedQRRanks: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let far = S.self == Float.self ? 100 : 500
    let shapes = (0...9).flatMap { m in (0...9).map { (m, $0) } } + [(40, 33), (33, 40)]
    for ((m, n), seed) in zip(shapes, Seed.cases(shapes.count)) {
      let ranks = min(m, n) > 9 ? [1, 17, 33] : Array(0...min(m, n))
      for k in ranks where !found.isFull {
        for exponent in [0, far, -far] {
          var generator = Generator(seed: seed &+ UInt64(k))
          let test = RankCase<S>(m, n, rank: k, exponent: exponent, &generator)
          let place = "\(backend.name) FISHER_SEED=\(seed) \(S.self) \(m)×\(n) rank \(k) · 2^\(exponent)"
          found += check(test, k, backend, place, &generator)
        }
      }
    }
    return found
  }

  private func check<S: KernelScalar>(
    _ test: RankCase<S>, _ k: Int, _ backend: any Backend, _ place: String, _ generator: inout Generator
  ) -> Violations {
    var found = Violations()
    let (m, n, unit) = (test.a.rows, test.a.columns, Ratio.unit(test.a))
    guard let qr = try? PivotedQR(test.a, on: backend, threads: 2) else {
      found.add("\(place): refused")
      return found
    }
    found.expect(qr.rank == k, "\(place): rank \(qr.rank)")
    let a = Ratio.double(test.a, unit: unit)
    let back = Ratio.double(qr.reconstructed(on: backend), unit: unit)
    let residual = Ratio.norm(Ratio.difference(a, back))
    found.expect(residual <= 30 * Double(m + n) * S.unitRoundoff * Ratio.norm(a), "\(place): Q·R·Pᵀ")
    let b = Matrix<S>(rows: m, columns: 2) { _, _ in generator.uniform() }
    // In units in which A is about 1.
    let x = Ratio.double(qr.solving(b, on: backend, threads: 2), unit: 1 / unit)
    found.expect(x.rows == n && x.columns == 2, "\(place): X is \(x.rows)×\(x.columns)")
    // The integers have conditions below 10⁴; what rounding makes of them is far below what a wrong formula does.
    let bound = 3e4 * Double(m + n) * S.unitRoundoff * (1 + Ratio.norm(x))
    let rest = Ratio.difference(Ratio.double(b), a.multiplied(by: x))
    let gradient = Ratio.norm(a.transposed.multiplied(by: rest))
    found.expect(gradient <= bound * (1 + Ratio.norm(a)), "\(place): ‖Aᵀ·(B − A·X)‖ is \(gradient)")
    let excess = Ratio.norm(test.null.transposed.multiplied(by: x))
    found.expect(excess <= bound * (1 + Ratio.norm(test.null)), "\(place): X is not the shortest, \(excess)")
    if m >= n && n > 0 {
      let refusal = error { _ = try QR(test.a, on: backend).solving(b, on: backend) }
      let column = k < n ? "refused" : "solved"
      found.expect((refusal == nil) == (k == n), "\(place): plain QR: \(refusal as Any), not \(column)")
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func ranks(_ subject: Subject) { expect(subject) }
}

/// The public types.
struct PivotedQRTests {
  /// Plain QR of products of random matrices, of which no single element of R need be small.
  @Test(arguments: [(30, 20, 19), (200, 150, 149), (300, 300, 299), (260, 60, 30)])
  func refusesRandomMatricesWithoutFullRank(m: Int, n: Int, k: Int) throws {
    var generator = Generator(seed: Seed.first)
    let left = GeneralKind.random.matrix(m, k, Float.self, &generator)
    let right = GeneralKind.random.matrix(k, n, Float.self, &generator)
    let deficient = left.multiplied(by: right)
    let b = GeneralKind.random.matrix(m, 1, Float.self, &generator)
    #expect(throws: FactorizationError.self) { try QR(deficient).solving(b) }
    let full = GeneralKind.random.matrix(m, n, Float.self, &generator)
    #expect(throws: Never.self) { try QR(full).solving(b) }
    #expect(try PivotedQR(full).rank == n)
    let doubles = Ratio.double(left).multiplied(by: Ratio.double(right))
    #expect(try PivotedQR(doubles).rank == k)
  }

  @Test func findsTheShortestSolutionByHand() throws {
    let qr = try PivotedQR<Double>([[1, 1], [1, 1], [1, 1]])
    let x = qr.solving([[1], [2], [6]])
    #expect(qr.rank == 1 && abs(x[0, 0] - 1.5) < 1e-14 && abs(x[1, 0] - 1.5) < 1e-14)
    let wide = try PivotedQR<Double>([[3, 4]]).solving([[25]])
    #expect(abs(wide[0, 0] - 3) < 1e-14 && abs(wide[1, 0] - 4) < 1e-14)
    #expect(try PivotedQR(Matrix<Double>(rows: 2, columns: 3)).pseudoinverse() == Matrix(rows: 3, columns: 2))
  }

  @Test func refusesWhatIsNotFinite() throws {
    for bad in [Double.nan, .infinity] {
      let a: Matrix<Double> = [[1, 0], [2, bad], [0, 1]]
      #expect(throws: FactorizationError.notFinite) { try PivotedQR(a) }
      #expect(throws: FactorizationError.singular(pivot: 1)) { try QR(a).solving([[1], [1], [1]]) }
      var qr = try PivotedQR<Double>([[1, 0], [0, 1], [0, 0]])
      #expect(throws: FactorizationError.notFinite) { try qr.refactorize(a) }
      #expect(qr.rank == 2 && qr.r.isFinite, "a failure changed the value")
    }
  }

  /// Scales of columns are no dependence.
  @Test func acceptsColumnsOfAnyLength() throws {
    let x = try QR<Double>([[1e-150, 0], [1e-150, 1e150]]).solving([[1], [3]])
    #expect(abs(x[0, 0] / 1e150 - 1) < 1e-14 && abs(x[1, 0] / 2e-150 - 1) < 1e-14)
  }
}
