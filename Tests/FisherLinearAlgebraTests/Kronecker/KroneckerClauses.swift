import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// Both sides by the definition: explicit matrices, and one of them the identity.
struct KroneckerProducts: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let shapes = KroneckerCase<S>.shapes
    for ((m, n), seed) in zip(shapes, Seed.cases(shapes.count)) where !found.isFull {
      let test = KroneckerCase<S>(seed: seed, m, n)
      let one = { (i: Int, j: Int) in i == j ? 1.0 : 0 }
      let sides:
        [(String, KroneckerFactor<S>, KroneckerFactor<S>, (Int, Int) -> Double, (Int, Int) -> Double)] = [
          ("both", .explicit(test.left), .explicit(test.right), test.leftElement, test.rightElement),
          ("left", .explicit(test.left), .identity, test.leftElement, one),
          ("right", .identity, .explicit(test.right), one, test.rightElement),
          ("none", .identity, .identity, one, one),
        ]
      for (name, left, right, a, b) in sides where m * n < 500 || name == "both" {
        var got = Matrix<S>(repeating: .nan, rows: m, columns: n)
        applyKronecker(left: left, test.gradient, right: right, into: &got, on: backend, threads: 2)
        let ratio = test.errors(got, test.products(a, b, test.gradientElement))
        found.expect(ratio <= 1, "\(backend.name) \(S.self) \(name) \(m)×\(n), seed \(seed): \(ratio) bounds")
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func products(_ subject: Subject) { expect(subject) }
}

/// By Cholesky factors: multiplying the result with L·Lᵀ on both sides gives the gradient back.
struct KroneckerSolutions: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let shapes = KroneckerCase<S>.shapes
    for ((m, n), seed) in zip(shapes, Seed.cases(shapes.count)) where !found.isFull {
      let test = KroneckerCase<S>(seed: seed, m, n, triangular: true)
      let (a, b) = (square(test.left), square(test.right))
      let one = { (i: Int, j: Int) in i == j ? 1.0 : 0 }
      let explicit = Matrix<S>(rows: m, columns: m) { S($0 == $1 ? 2 : 0) }
      let sides:
        [(String, KroneckerFactor<S>, KroneckerFactor<S>, (Int, Int) -> Double, (Int, Int) -> Double)] = [
          ("both", .cholesky(test.left), .cholesky(test.right), { a[$0][$1] }, { b[$0][$1] }),
          ("left", .cholesky(test.left), .identity, { a[$0][$1] }, one),
          ("right", .identity, .cholesky(test.right), one, { b[$0][$1] }),
          ("mixed", .explicit(explicit), .cholesky(test.right), { $0 == $1 ? 0.5 : 0 }, { b[$0][$1] }),
        ]
      for (name, left, right, a, b) in sides where m * n < 500 || name == "both" {
        var got = Matrix<S>(repeating: .nan, rows: m, columns: n)
        applyKronecker(left: left, test.gradient, right: right, into: &got, on: backend, threads: 2)
        let back = test.products(a, b) { Double(got[$0, $1]) }
        // Four substitutions, each with n + 3 roundings, seen through the inverse: condition below 16 on each side.
        let expected = (test.gradient, back.size)
        var worst = 0.0
        for i in 0..<m {
          for j in 0..<n {
            let error = (back.sum[i][j] - Double(expected.0[i, j])).magnitude
            let bound = 16 * Double(m + n + 4) * S.unitRoundoff * (back.size[i][j] + 1)
            worst = error.isNaN ? .infinity : max(worst, error / bound)
          }
        }
        found.expect(worst <= 1, "\(backend.name) \(S.self) \(name) \(m)×\(n), seed \(seed): \(worst) bounds")
      }
    }
    return found
  }

  /// L·Lᵀ in double precision.
  private func square<S: KernelScalar>(_ l: Matrix<S>) -> [[Double]] {
    let l = l.withPointer { Ratio.double($0, .lower) }
    let square = l.multiplied(by: l.transposed, threads: 1)
    return (0..<l.rows).map { i in (0..<l.rows).map { square[i, $0] } }
  }

  @Test(arguments: Subject.all)
  static func solutions(_ subject: Subject) { expect(subject) }
}

/// In a basis: rotation there and back, and the explicit matrix (Q ⊗ W)·diag(1/d)·(Q ⊗ W)ᵀ times vec G. The definition
/// needs no orthogonal Q and W.
struct KroneckerBases: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let shapes = KroneckerCase<S>.shapes
    for ((m, n), seed) in zip(shapes, Seed.cases(shapes.count)) where !found.isFull {
      let test = KroneckerCase<S>(seed: seed, m, n)
      var generator = Generator(seed: ~seed)
      let basis = KroneckerBasis(left: test.left, right: test.right)
      let positive = { (_: Int, _: Int) -> S in
        let x: S = generator.uniform()
        return x.magnitude
      }
      let (s, t) = (Matrix(rows: m, columns: 1, positive), Matrix(rows: 1, columns: n, positive))
      let moments = Matrix(rows: m, columns: n, positive)
      let spectra: [(String, KroneckerSpectrum<S>, (Int, Int) -> Double)] = [
        ("outer", .outer(left: s, right: t, damping: 0.25), { Double(s[$0, 0]) * Double(t[0, $1]) + 0.25 }),
        ("elements", .elements(moments, damping: 0.5), { Double(moments[$0, $1]) + 0.5 }),
      ]
      let turned = test.products({ test.leftElement($1, $0) }, test.rightElement, test.gradientElement)
      var got = Matrix<S>(repeating: .nan, rows: m, columns: n)
      func check(_ what: String, _ expected: (sum: [[Double]], size: [[Double]]), _ roundings: Int) {
        let ratio = test.errors(got, expected, roundings: roundings)
        found.expect(ratio <= 1, "\(backend.name) \(S.self) \(what) \(m)×\(n), seed \(seed): \(ratio) bounds")
      }
      basis.rotate(test.gradient, into: &got, on: backend, threads: 2)
      check("rotated", turned, 4)
      basis.rotateBack(test.gradient, into: &got, on: backend, threads: 2)
      check(
        "rotated back",
        test.products(test.leftElement, { test.rightElement($1, $0) }, test.gradientElement), 4)
      for (name, spectrum, divisor) in spectra {
        let quotient = divided(turned, by: divisor)
        basis.rotate(test.gradient, dividingBy: spectrum, into: &got, on: backend, threads: 2)
        check("rotated, \(name)", quotient, 8)
        basis.divide(test.gradient, by: spectrum, into: &got, on: backend, threads: 2)
        let transposed = { (i: Int, j: Int) in test.rightElement(j, i) }
        let exact = test.products(test.leftElement, transposed) { quotient.sum[$0][$1] }
        let sizes = test.products(
          { test.leftElement($0, $1).magnitude }, { transposed($0, $1).magnitude }
        ) { quotient.size[$0][$1] }
        check("divided, \(name)", (exact.sum, sizes.size), m + n + 12)
      }
    }
    return found
  }

  private func divided(
    _ numbers: (sum: [[Double]], size: [[Double]]), by divisor: (Int, Int) -> Double
  ) -> (sum: [[Double]], size: [[Double]]) {
    func quotients(_ rows: [[Double]]) -> [[Double]] {
      rows.enumerated().map { i, row in row.enumerated().map { j, x in x / divisor(i, j) } }
    }
    return (quotients(numbers.sum), quotients(numbers.size))
  }

  @Test(arguments: Subject.all)
  static func bases(_ subject: Subject) { expect(subject) }
}

/// The same bits for any number of threads, and with panels as without.
struct KroneckerBits: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for ((m, n), seed) in zip([(300, 270), (40, 600)], Seed.cases(2)) {
      let test = KroneckerCase<S>(seed: seed, m, n)
      let factors = KroneckerCase<S>(seed: seed, m, n, triangular: true)
      let ones = (Matrix<S>(repeating: 1, rows: m, columns: 1), Matrix<S>(repeating: 1, rows: n, columns: 1))
      let results = [1, 2, 3, 7].map { threads in
        var results = [Matrix<S>](repeating: test.gradient, count: 3)
        applyKronecker(
          left: .explicit(test.left), test.gradient, right: .explicit(test.right), into: &results[0],
          on: backend, threads: threads)
        applyKronecker(
          left: .cholesky(factors.left), test.gradient, right: .cholesky(factors.right), into: &results[1],
          on: backend, threads: threads)
        KroneckerBasis(left: test.left, right: test.right).divide(
          test.gradient, by: .outer(left: ones.0, right: ones.1, damping: 0.5), into: &results[2],
          on: backend, threads: threads)
        return results.map { $0.array.map(\.bits) }
      }
      found.expect(Set(results).count == 1, "\(backend.name) \(S.self) \(m)×\(n), seed \(seed): threads")
      // Panels change no bits: those of two products, first on the side of the longer rows.
      let (a, b, g) = (test.left, test.right, test.gradient)
      let product =
        m < n
        ? a.multiplied(by: g.multiplied(by: b, on: backend), on: backend)
        : a.multiplied(by: g, on: backend).multiplied(by: b, on: backend)
      found.expect(
        results[0][0] == product.array.map(\.bits),
        "\(backend.name) \(S.self) \(m)×\(n), seed \(seed): panels")
    }
    return found
  }

  @Test(arguments: Subject.keepingBits.filter { !$0.description.hasPrefix("reference") })
  static func bits(_ subject: Subject) { expect(subject) }
}
