import FisherRuntime

/// Wilcoxon's signed-rank test of pairs, exact (Wilcoxon 1945).
///
/// Under the hypothesis that two methods are equal, each pair's difference is as likely to have the other sign. W is the
/// sum of the ranks of |d| with the signs of d; pairs without a difference are left out, equal ranks are shared.
package enum PairedTest {
  /// The two-sided probability of a W at least as far from zero, over all 2ⁿ choices of signs.
  ///
  /// - Parameters:
  ///   - a: positive, infinite for a miss.
  ///   - b: its partners, in the same order. Compared by their ratios; two misses are equal.
  package static func probability(_ a: [Double], _ b: [Double]) -> Double {
    precondition(a.count == b.count, "PairedTest: \(a.count) and \(b.count) values")
    let differences = zip(a, b).map { $0 == $1 ? 0 : log($0) - log($1) }.filter { $0 != 0 }
    let ranks = doubledRanks(differences.map(\.magnitude))
    let observed = zip(ranks, differences).reduce(0) { $0 + ($1.1 < 0 ? -$1.0 : $1.0) }
    return tail(ranks, beyond: abs(observed))
  }

  /// Twice the ranks, from 1, with the mean for equal values: integers.
  private static func doubledRanks(_ values: [Double]) -> [Int] {
    values.map { x in
      2 * values.count { $0 < x } + values.count { $0 == x } + 1
    }
  }

  /// The part of all signs whose sum is at least `limit` from zero: the distribution grows rank by rank.
  private static func tail(_ ranks: [Int], beyond limit: Int) -> Double {
    let total = ranks.reduce(0, +)
    // shares[s + total]: of the signs so far, those whose sum is s.
    var shares = [Double](repeating: 0, count: 2 * total + 1)
    shares[total] = 1
    for rank in ranks {
      var next = [Double](repeating: 0, count: shares.count)
      for (i, share) in shares.enumerated() where share > 0 {
        next[i - rank] += share / 2
        next[i + rank] += share / 2
      }
      shares = next
    }
    return min(1, shares.enumerated().reduce(0) { abs($1.0 - total) >= limit ? $0 + $1.1 : $0 })
  }

  /// Probabilities of several tests, each raised so that the chance of any false discovery stays below its level
  /// (Holm 1979).
  package static func holm(_ probabilities: [Double]) -> [Double] {
    let order = probabilities.indices.sorted { probabilities[$0] < probabilities[$1] }
    var adjusted = probabilities
    var most = 0.0
    for (place, i) in order.enumerated() {
      most = max(most, min(1, probabilities[i] * Double(order.count - place)))
      adjusted[i] = most
    }
    return adjusted
  }
}
