import FisherComparison
import FisherRuntime
import Testing

@Suite struct StatisticsTests {
  @Test func targetsAreMetFirstAndMissesAreInfinite() {
    var curve = Curve()
    for (step, loss) in [(0, 3.0), (5, .nan), (10, 1), (15, 2), (20, 0.5)] {
      curve.append(step: step, loss: loss, accuracy: nil)
    }
    #expect(curve.steps(to: 3) == 0 && curve.steps(to: 1) == 10 && curve.steps(to: 0.9) == 20)
    #expect(curve.steps(to: 0.4) == .infinity && Curve().steps(to: 1) == .infinity)
    #expect(curve.least == 0.5 && Curve().least == .infinity)
  }

  @Test func mediansKeepInfinities() {
    #expect(Quantiles.median([3, 1, 2]) == 2 && Quantiles.median([4, 1, 2, 3]) == 2.5)
    #expect(Quantiles.median([1, .infinity, .infinity]) == .infinity)
    #expect(Quantiles.median([1, 2, .infinity]) == 2 && Quantiles.median([1, .infinity]) == .infinity)
    #expect(Quantiles.median([]).isNaN)
  }

  /// The definition: at least the fraction p of the values is not above it, and of no smaller value.
  @Test func quantilesInvertTheDistribution() {
    var generator = KeyedGenerator(7)
    for n in 1...30 {
      let values = (0..<n).map { _ in Double(generator.below(12)) }
      for p in [0.01, 0.025, 0.3, 0.5, 0.975, 1] {
        let q = Quantiles.quantile(p, of: values)
        func share(_ x: Double) -> Double { Double(values.count { $0 <= x }) / Double(n) }
        #expect(share(q) >= p && !values.contains { $0 < q && share($0) >= p })
      }
    }
  }

  /// Of five values all 5⁵ resamples can be listed; the drawn quantiles must lie within their sampling error of the
  /// exact ones, and the interval follows from the seed.
  @Test func bootstrapAgreesWithAllResamples() {
    let values = [1.0, 2, 4, 8, .infinity]
    var medians: [Double] = []
    for code in 0..<3125 {
      let places = (0..<5).map { code / [1, 5, 25, 125, 625][$0] % 5 }
      medians.append(Quantiles.median(places.map { values[$0] }))
    }
    let drawn = Bootstrap.interval(ofMedian: values, resamples: 4000)
    // 0.025 ± five deviations of a share among 4000.
    let margin = 5 * (0.025 * 0.975 / 4000).squareRoot()
    #expect(drawn.low >= Quantiles.quantile(0.025 - margin, of: medians))
    #expect(drawn.low <= Quantiles.quantile(0.025 + margin, of: medians))
    #expect(drawn.high >= Quantiles.quantile(0.975 - margin, of: medians))
    #expect(drawn == Bootstrap.interval(ofMedian: values, resamples: 4000))
    #expect(Bootstrap.interval(ofMedian: [3, 3, 3]) == Interval(low: 3, high: 3))
  }

  /// All 2ⁿ signs, written out.
  @Test func signedRanksCountAllSigns() {
    var generator = KeyedGenerator(3)
    for n in 1...9 {
      for _ in 0..<20 {
        let a = (0..<n).map { _ in generator.below(6) == 0 ? Double.infinity : Double(1 + generator.below(5))
        }
        let b = (0..<n).map { _ in generator.below(6) == 0 ? Double.infinity : Double(1 + generator.below(5))
        }
        let p = PairedTest.probability(a, b)
        #expect(abs(p - Self.naive(a, b)) < 1e-12, "\(a) \(b)")
        #expect(abs(p - PairedTest.probability(b, a)) < 1e-12)
      }
    }
  }

  private static func naive(_ a: [Double], _ b: [Double]) -> Double {
    let d = zip(a, b).map { $0 == $1 ? 0 : log($0 / $1) }.filter { $0 != 0 }
    let sorted = d.map(\.magnitude).sorted()
    let ranks = d.map { x -> Double in
      let places = sorted.indices.filter { abs(sorted[$0] - abs(x)) < 1e-9 || sorted[$0] == abs(x) }
      return Double(places.reduce(0) { $0 + $1 + 1 }) / Double(places.count)
    }
    func sum(_ isMinus: (Int) -> Bool) -> Double {
      d.indices.reduce(0) { $0 + (isMinus($1) ? -ranks[$1] : ranks[$1]) }
    }
    let observed = abs(sum { d[$0] < 0 })
    let all = (0..<(1 << d.count)).map { signs in abs(sum { signs >> $0 & 1 == 1 }) }
    return Double(all.count { $0 >= observed - 1e-9 }) / Double(all.count)
  }

  @Test func signedRanksOfOneSideAndOfNothing() {
    // All five on one side: only the two extreme choices of 32.
    #expect(PairedTest.probability([1, 2, 3, 4, 5], [2, 4, 6, 8, .infinity]) == 2.0 / 32)
    #expect(PairedTest.probability([1, .infinity], [1, .infinity]) == 1)
    #expect(PairedTest.probability([], []) == 1)
  }

  @Test func holmRaisesInOrder() {
    // Holm's: 4·0.005, 3·0.01, 2·0.03, 1·0.04, each at least the one before.
    let adjusted = PairedTest.holm([0.01, 0.04, 0.03, 0.005])
    for (x, y) in zip(adjusted, [0.03, 0.06, 0.06, 0.02]) { #expect(abs(x - y) < 1e-15) }
    #expect(PairedTest.holm([0.7, 0.9]) == [1, 1] && PairedTest.holm([]).isEmpty)
  }

  @Test func profilesAreSharesWithinAFactor() {
    let profile = PerformanceProfile(costs: [
      [1, 10, .infinity], [2, 5, .infinity], [4, .infinity, .infinity],
    ])
    #expect(profile.share(0, within: 1) == 1.0 / 3 && profile.share(0, within: 2) == 2.0 / 3)
    #expect(profile.share(1, within: 2) == 2.0 / 3 && profile.share(1, within: 1) == 1.0 / 3)
    #expect(profile.share(2, within: 1e9) == 1.0 / 3, "what nobody solves, nobody solves")
  }

  /// All orders of the settings, written out: the mean place of the first that meets the target.
  @Test func attemptsAreTheMeanOverAllOrders() {
    for tried in 1...6 {
      for met in 1...tried {
        let places = Self.orders(tried).map { order in Double(order.firstIndex { $0 < met }! + 1) }
        let mean = places.reduce(0, +) / Double(places.count)
        #expect(abs(TuningEffort(tried: tried, met: met).attempts - mean) < 1e-12)
      }
    }
    #expect(TuningEffort(tried: 5, met: 0).attempts == .infinity)
  }

  private static func orders(_ n: Int) -> [[Int]] {
    n == 0
      ? [[]]
      : orders(n - 1).flatMap { order in
        (0..<n).map { place in
          var order = order
          order.insert(n - 1, at: place)
          return order
        }
      }
  }

  @Test func sensitivityIsTheSpanOfWhatWorked() {
    let span = Sensitivity([(0.001, false), (0.01, true), (1, true), (0.1, false), (10, false)]).decades
    #expect(abs((span ?? 0) - 2) < 1e-12)
    #expect(Sensitivity([(1, false)]).decades == nil && Sensitivity([(3, true)]).decades == 0)
  }
}
