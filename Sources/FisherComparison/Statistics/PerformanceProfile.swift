/// How often a method is within a factor of the best one (Dolan & Moré 2002).
package struct PerformanceProfile: Sendable {
  /// For each method, for each problem, its cost over the least of all methods; infinite if it failed.
  package let ratios: [[Double]]

  /// - Parameter costs: for each method the cost of each problem, positive, infinite for a failure.
  package init(costs: [[Double]]) {
    let problems = costs.first?.count ?? 0
    precondition(costs.allSatisfy { $0.count == problems }, "PerformanceProfile: rows of different lengths")
    let best = (0..<problems).map { problem in costs.map { $0[problem] }.min() ?? .infinity }
    ratios = costs.map { zip($0, best).map { $0.isFinite ? $0 / $1 : .infinity } }
  }

  /// ρ(τ): the fraction of problems that the method solves at no more than τ times the least cost.
  package func share(_ method: Int, within τ: Double) -> Double {
    let own = ratios[method]
    return own.isEmpty ? 0 : Double(own.count { $0 <= τ }) / Double(own.count)
  }
}
