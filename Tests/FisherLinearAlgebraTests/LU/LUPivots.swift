import FisherLinearAlgebra
import FisherTestSupport
import Foundation
import KernelTemplates
import Testing

/// Which row becomes the pivot where the definition alone decides.
struct LUPivots: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let orders = Array(1...40) + [64, 65, 70] + (backend is ReferenceBackend ? [] : [129, 200])
    for (n, seed) in zip(orders, Seed.cases(orders.count)) where !found.isFull {
      for unit in [S(1), .leastNonzeroMagnitude] { found += ties(backend, seed, n, unit) }
      found += oneNaN(backend, seed, n, S.self)
      found += zeroRow(backend, seed, n, S.self)
    }
    return found
  }

  /// L of ones with signs, so that all candidates for a pivot have the same magnitude: the first is taken. U of small
  /// integers: everything is exact, also in units of the smallest number, whose reciprocal is infinite.
  private func ties<S: KernelScalar>(
    _ backend: any Backend, _ seed: UInt64, _ n: Int, _ unit: S
  ) -> Violations {
    var (found, generator) = (Violations(), Generator(seed: seed))
    let l = Matrix<S>(rows: n, columns: n) { i, j in i < j ? 0 : i == j ? 1 : generator.pick([-1, 1]) }
    let u = Matrix<S>(rows: n, columns: n) { i, j in
      i > j ? 0 : i == j ? generator.pick([-1, 1]) : generator.integer(in: -2...2)
    }
    let product = l.multiplied(by: u)
    let test = LUCase<S>(
      seed: seed, Matrix(rows: n, columns: n) { product[$0, $1] * unit }, "ties in units of \(unit)")
    let singular = backend.factorLU(test.factors, threads: 2)
    let place = "\(backend.name) \(test.name)"
    found.expect(singular == nil, "\(place): singular at \(singular ?? -1)")
    found.expect(Array(test.pivots) == Array(0..<n), "\(place): exchanges \(Array(test.pivots))")
    for i in 0..<n {
      for j in 0..<n {
        let (x, y) = (test.a.pointer[i, j], i > j ? l[i, j] : u[i, j] * unit)
        found.expect(x == y, "\(place): (\(i), \(j)) is \(x), not \(y)")
      }
    }
    return found
  }

  /// A NaN in one place of a permuted matrix with a dominant diagonal, whose exchanges are known. In a row that was a
  /// pivot before, it makes its whole column NaN; otherwise its row is never chosen until it alone is left.
  private func oneNaN<S: KernelScalar>(
    _ backend: any Backend, _ seed: UInt64, _ n: Int, _: S.Type
  ) -> Violations {
    var (found, generator) = (Violations(), Generator(seed: seed))
    let places = (0..<n).shuffled(using: &generator)
    let good = Matrix<S>(rows: n, columns: n) { i, j in
      let x: S = generator.uniform()
      return places[i] == j ? x < 0 ? x - 2 : x + 2 : x / S(n)
    }
    for _ in 0..<(n < 10 ? 12 : 4) {
      let (row, column) = (Int.random(in: 0..<n, using: &generator), Int.random(in: 0..<n, using: &generator))
      var matrix = good
      matrix[row, column] = generator.pick([S.nan, -S.nan])
      let test = LUCase<S>(seed: seed, matrix)
      let singular = backend.factorLU(test.factors, threads: 2)
      let expected = places[row] < column ? column : n - 1
      found.expect(
        singular == expected,
        "\(backend.name) \(test.name): NaN at (\(row), \(column)) is reported as \(singular ?? -1), not \(expected)"
      )
    }
    return found
  }

  /// A row of zeros is never chosen until it alone is left.
  private func zeroRow<S: KernelScalar>(
    _ backend: any Backend, _ seed: UInt64, _ n: Int, _: S.Type
  ) -> Violations {
    var found = Violations()
    for row in Set([0, n / 2, n - 1]) {
      var generator = Generator(seed: seed)
      var matrix = GeneralKind.random.matrix(n, n, S.self, &generator)
      for j in 0..<n { matrix[row, j] = 0 }
      let test = LUCase<S>(seed: seed, matrix)
      let singular = backend.factorLU(test.factors, threads: 2)
      found.expect(
        singular == n - 1, "\(backend.name) \(test.name): row \(row) is 0, reported \(singular ?? -1)")
    }
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func pivots(_ subject: Subject) { expect(subject) }
}

/// What follows from the factors.
struct LUDeterminants: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let half = Int(S.greatestFiniteMagnitude.exponent) - 2
    for (n, seed) in zip(Array(1...33) + [70, 130], Seed.cases(35)) where !found.isFull {
      var generator = Generator(seed: seed)
      // The rows of a triangle in another order: elimination is exact, and the determinant is known.
      let places = (0..<n).shuffled(using: &generator)
      let power = S(sign: .plus, exponent: S.Exponent([0, half, -half][n % 3]), significand: 1)
      let triangle = GeneralKind.upper.matrix(n, n, S.self, &generator)
      let signs = (0..<n).map { _ in generator.pick([S(1), -1]) }
      let matrix = Matrix<S>(rows: n, columns: n) { i, j in
        signs[i] * triangle[places[i], j] * power / 4
      }
      let (sign, logarithm) = LU(matrix, on: backend, threads: 2).determinant
      var isOdd = false
      for i in 0..<n {
        for j in i + 1..<max(n, i + 1) where places[j] < places[i] { isOdd.toggle() }
      }
      let parity: S = isOdd ? -1 : 1
      let expected = signs.reduce(parity, *)
      var (sum, size) = (0.0, 0.0)
      for i in 0..<n {
        let term = log(Double(triangle[i, i]) * Double(power) / 4)
        (sum, size) = (sum + term, size + term.magnitude)
      }
      let place = "\(backend.name) \(S.self) n \(n), seed \(seed)"
      found.expect(sign == expected, "\(place): the determinant's sign is \(sign), not \(expected)")
      found.expect(
        (Double(logarithm) - sum).magnitude <= 4 * Double(n) * S.unitRoundoff * (size + 1),
        "\(place): log |det| is \(logarithm), not \(sum)")
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func determinants(_ subject: Subject) { expect(subject) }
}

/// With a pivot of 0 or NaN there are no solutions (from bare factors, ones with infinities or NaNs), the determinant is 0 or NaN, and the reciprocal condition
/// is 0.
struct LUSingularUse: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (n, seed) in zip([1, 2, 5, 17, 40, 130], Seed.cases(6)) {
      for column in Set([0, n / 2, n - 1]) where !found.isFull {
        var generator = Generator(seed: seed)
        var matrix = GeneralKind.random.matrix(n, n, S.self, &generator)
        for i in 0..<n { matrix[i, column] = 0 }
        let lu = LU(matrix, on: backend, threads: 2)
        let place = "\(backend.name) \(S.self) n \(n), column \(column) is 0, seed \(seed)"
        let b = Matrix<S>(rows: n, columns: 2) { _, _ in generator.uniform() }
        found += refusals(lu, backend, b, column, place)
        let x = divided(matrix, b, backend)
        found.expect(x.contains { !$0.isFinite }, "\(place): a solution from bare factors is finite")
        found.expect(lu.singularPivot == column, "\(place): reported \(lu.singularPivot ?? -1)")
        found.expect(lu.determinant == (0, -.infinity), "\(place): \(lu.determinant)")
        found.expect(lu.reciprocalCondition(on: backend) == 0, "\(place): condition")
        matrix[n - 1, column] = .nan
        let poisoned = LU(matrix, on: backend, threads: 2)
        found.expect(poisoned.singularPivot != nil, "\(place) with a NaN: no bad pivot")
        found.expect(
          divided(matrix, b, backend).contains { !$0.isFinite }, "\(place) with a NaN: solution")
        found += refusals(poisoned, backend, b, poisoned.singularPivot ?? -1, "\(place) with a NaN")
        found.expect(poisoned.reciprocalCondition(on: backend) == 0, "\(place) with a NaN: condition")
        let sign = poisoned.determinant.sign
        found.expect(sign == 0 || sign.isNaN, "\(place) with a NaN: determinant")
      }
    }
    return found
  }

  /// The pivot is named, and nothing is overwritten.
  private func refusals<S: KernelScalar>(
    _ lu: LU<S>, _ backend: any Backend, _ b: Matrix<S>, _ pivot: Int, _ place: String
  ) -> Violations {
    var (found, x, inverse) = (Violations(), b, lu.factors)
    let refused = error { try lu.solve(&x, on: backend) }
    found.expect(refused == .singular(pivot: pivot) && x == b, "\(place): solve \(refused as Any)")
    let inverted = error { try lu.inverse(into: &inverse, on: backend) }
    found.expect(inverted == .singular(pivot: pivot), "\(place): inverse \(inverted as Any)")
    found.expect(
      inverse.array.map(\.bits) == lu.factors.array.map(\.bits), "\(place): the inverse was written")
    return found
  }

  /// What the backend itself makes of the factors.
  private func divided<S: KernelScalar>(_ a: Matrix<S>, _ b: Matrix<S>, _ backend: any Backend) -> [S] {
    let (factors, x) = (
      GuardedMatrix<S>(a.rows, a.columns, .rowMajor).filled(with: a),
      GuardedMatrix<S>(b.rows, b.columns, .rowMajor).filled(with: b)
    )
    var pivots = [Int](repeating: 0, count: a.rows)
    pivots.withUnsafeMutableBufferPointer {
      let call = LUFactors(a: factors.pointer, pivots: $0.baseAddress!)
      _ = backend.factorLU(call, threads: 1)
      backend.solveLU(call, transposed: false, x.pointer, threads: 1)
    }
    return x.elements()
  }

  @Test(arguments: Subject.keepingBits)
  static func use(_ subject: Subject) { expect(subject) }
}
