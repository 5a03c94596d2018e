import FisherTestSupport
import Testing

/// Every instruction set with FMA computes the same bits.
@Test(arguments: ScalarKind.allCases)
func sameBitsAcrossTiers(_ kind: ScalarKind) {
  let tiers = backendsUnderTest().filter(\.usesFMA)
  for (m, n, k) in SameBitsAcrossThreads.shapes {
    let results = tiers.map { tier in
      switch kind {
      case .float: ProductSet<Float>(m, n, k).run(tier.backend, threads: 1)
      case .double: ProductSet<Double>(m, n, k).run(tier.backend, threads: 1)
      }
    }
    for (tier, result) in zip(tiers, results).dropFirst() {
      for (got, expected) in zip(result, results[0]) {
        #expect(
          got.bits == expected.bits,
          "\(got.routine) \(m)×\(n)×\(k) \(kind): \(tier) differs from \(tiers[0])")
      }
    }
  }
}
