import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// Symmetric factors as training makes them: without rank, of rank one, with repeated and clustered eigenvalues, at both ends
/// of the range.
struct HardFactors {
  private enum Kind: CaseIterable { case zero, rankOne, repeated, clustered, huge, tiny, mixed }

  private static func factor(_ kind: Kind, _ n: Int, _ generator: inout Generator) -> Matrix<Float> {
    let v = (0..<n).map { _ -> Float in generator.uniform() }
    let squares = max(v.reduce(0) { $0 + $1 * $1 }, 1e-3)
    // A reflector, times what makes a difference of no more than some ulps, or none.
    func reflected(_ a: Float, _ b: Float) -> Matrix<Float> {
      Matrix(rows: n, columns: n) { i, j in (i == j ? a : 0) + b * (v[i] * v[j] / squares) }
    }
    switch kind {
    case .zero: return Matrix(rows: n, columns: n)
    case .rankOne: return reflected(0, 1)
    case .repeated: return reflected(1, 2)
    case .clustered: return reflected(1, 4 * .ulpOfOne)
    case .huge: return reflected(0x1p124, 0x1p125)
    case .tiny: return reflected(0x1p-126, 0x1p-125)
    case .mixed:
      return Matrix(rows: n, columns: n) { i, j in i == j ? (i % 2 == 0 ? 0x1p125 : 0x1p-126) : 0 }
    }
  }

  @Test func allHaveEigenvaluesAndRoots() throws {
    var (generator, count, failures) = (Generator(seed: Seed.first), 0, Violations())
    while count < 100_000 {
      for kind in Kind.allCases where !failures.isFull {
        count += 1
        let n = 1 + count % 6
        let a = Self.factor(kind, n, &generator)
        let largest = a.array.reduce(0) { max($0, abs($1)) }
        let p = [1, 2, 4][count % 3]
        let place = "\(kind) n \(n) p \(p), number \(count) of seed \(Seed.first)"
        guard let eigen = try? SymmetricEigen(a, threads: 1) else {
          failures.add("\(place): no eigenvalues")
          continue
        }
        let error = eigen.values.map { max(0, abs($0) / max(largest, .leastNormalMagnitude) - 2 * Float(n)) }
        failures.expect(error.allSatisfy { $0 == 0 }, "\(place): eigenvalues \(eigen.values)")
        // Where A says nothing, 1; otherwise what rounding leaves of A.
        let floor = largest == 0 ? 1 : largest * (4 * Float(n) * .ulpOfOne)
        guard let root = try? InverseRoot(a, p: p, by: .eigen(floor: floor), threads: 1) else {
          failures.add("\(place): no inverse root by eigenvalues")
          continue
        }
        failures.expect(root.matrix.isFinite, "\(place): \(root.matrix)")
        if kind == .repeated || kind == .clustered || kind == .huge || kind == .tiny {
          failures.expect(
            root.residual < 200 * Float(n + 4) * Float(p) * .ulpOfOne, "\(place): \(root.residual)")
        }
      }
      if failures.isFull { break }
    }
    #expect(failures.isEmpty, "\(failures)")
  }

  /// The iteration does not see the scale of its matrix.
  @Test(arguments: [1, 2, 3, 4, 8])
  func newtonAtTheEndsOfTheRange(p: Int) throws {
    for exponent in [-1000, -520, 0, 520, 1000] {
      let unit = Double(sign: .plus, exponent: exponent, significand: 1)
      let a = Matrix<Double>(rows: 4, columns: 4) { i, j in (i == j ? 2 : 0.25) * unit }
      for method in [InverseRootMethod<Double>.eigen(), .coupledNewton(tolerance: 1e-14)] {
        let root = try InverseRoot(a, p: p, damping: .relative(0.125), by: method)
        #expect(root.residual < 1e-13, "p \(p), 2^\(exponent), \(method): \(root.residual)")
      }
    }
  }
}
