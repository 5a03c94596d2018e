import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// The estimate of a 1-norm by itself: never above the norm but for rounding, hardly ever below a third of it, from at most
/// twelve products.
struct InverseNormEstimateTests {
  @Test(arguments: [1, 2, 3, 4, 7, 16, 33, 70])
  func staysBelowTheNorm(n: Int) {
    var (generator, low) = (Generator(seed: Seed.first &+ UInt64(n)), 0)
    let kinds = GeneralKind.allCases + [.random, .random, .graded]
    let trials = 20
    for trial in 0..<trials {
      for kind in kinds {
        var b = kind.matrix(n, n, Double.self, &generator)
        // Inverses have rows of one sign more often than random matrices, and zeros.
        if trial % 3 == 1 { b = Matrix(rows: n, columns: n) { b[$0, $1].magnitude } }
        if trial % 3 == 2 { for i in 0..<n { b[i, (i * 7 + trial) % n] = 0 } }
        var products = 0
        let estimate = InverseNormEstimate<Double>.estimate(order: n) { x, transposed in
          products += 1
          let old = (0..<n).map { x[$0, 0] }
          for i in 0..<n {
            x[i, 0] = (0..<n).reduce(0) { $0 + (transposed ? b[$1, i] : b[i, $1]) * old[$1] }
          }
        }
        let norm = Ratio.norm(b)
        let place = "seed \(Seed.first) \(kind) n \(n) trial \(trial)"
        #expect(products <= 12, "\(place): \(products) products")
        #expect(estimate <= norm * (1 + Double(2 * n) * Double.ulpOfOne), "\(place): \(estimate) of \(norm)")
        if estimate < norm / 3 { low += 1 }
      }
    }
    #expect(low * 50 <= trials * kinds.count, "seed \(Seed.first) n \(n): \(low) estimates are below a third")
  }
}

/// The reciprocal condition is at least 1/(‖A‖₁·‖A⁻¹‖₁), with A⁻¹ by plain elimination in double precision, and hardly ever
/// above three times that.
struct LUConditionBound: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var (found, count, high) = (Violations(), 0, 0)
    for (n, seed) in zip(Array(1...33) + [64, 65, 70], Seed.cases(36)) {
      for kind in GeneralKind.allCases where !found.isFull {
        var generator = Generator(seed: seed)
        let matrix = kind.matrix(n, n, S.self, &generator)
        let unit = Ratio.unit(matrix)
        let a = Ratio.double(matrix, unit: unit)
        guard let inverse = try? LU(a, on: ReferenceBackend()).inverse(on: ReferenceBackend()) else {
          continue
        }
        let condition = Ratio.norm(a) * Ratio.norm(inverse)
        // The factors are those of a matrix that differs by some n·u·‖A‖, so its condition is uncertain by n·u·κ².
        let slack = 8 * Double(n) * S.unitRoundoff * condition
        if !(slack < 0.1) { continue }
        let estimate = Double(LU(matrix, on: backend).reciprocalCondition(on: backend))
        let place = "\(backend.name) \(S.self) \(kind) n \(n), seed \(seed)"
        found.expect(
          estimate * condition >= 1 - slack - 8 * Double(n) * S.unitRoundoff,
          "\(place): the condition \(condition) is estimated as \(1 / estimate)")
        count += 1
        if estimate * condition > 3 { high += 1 }
      }
    }
    found.expect(high * 50 <= count, "\(backend.name) \(S.self): \(high) of \(count) estimates err by 3")
    return found
  }

  @Test(arguments: Subject.all)
  static func neverOverestimates(_ subject: Subject) { expect(subject) }
}
