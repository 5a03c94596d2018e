import FisherKit
import FisherRuntime

/// How close a method's direction is to the exact natural gradient on a workload.
package struct Closeness: Sendable, Equatable {
  /// γ(Δ) over γ of the gradient (Wu et al. 2024, equation 15): below 1 is better than the gradient.
  package let relativeγ: Double

  package init(relativeγ: Double) { self.relativeγ = relativeγ }

  package func json(_ key: PhaseKey) -> JSON {
    key.line("closeness", [("relativeGamma", .number(relativeγ))])
  }

  package static func parse(_ line: JSON) -> (PhaseKey, Closeness)? {
    guard let key = PhaseKey(line), let γ = line["relativeGamma"]?.double, γ > 0, γ.isFinite else {
      return nil
    }
    return (key, Closeness(relativeγ: γ))
  }
}

extension Workload {
  /// Steps of a candidate before the one that is looked at, at the same weights, so that averages are full and what is
  /// computed now and then is there.
  private static var past: Int { 20 }
  private static var batches: Int { 2 }

  /// γ of methods with these settings, on training examples at the weights of AdamW (as `place` says) after a quarter of the
  /// budget; nil for a method that refuses such a step or does not move.
  ///
  /// The exact Fisher matrix is not formed: ΔᵀFΔ takes a pass of tangents.
  package func closeness(
    of methods: [(Method, settings: [String: String])], at place: [String: String], threads: Int,
    check: () throws -> Void
  ) throws -> [Closeness?] {
    let trainer = try trainer(
      Double.self, try Method(ComparisonOptions.baseline).optimizer(place), seed: 0, threads: threads)
    for _ in 0..<budget / 4 { try trainer.step() }
    let probes = try (0..<Self.batches).map { try trainer.probe(count: batch, number: $0) }
    let plain = probes.map { $0.γ($0.gradient) }
    return try methods.map { method, settings in
      try check()
      let optimizer = try method.optimizer(settings)
      let ratios = try zip(probes, plain).map { probe, γ -> Double in
        do {
          return probe.γ(try probe.direction(of: optimizer, past: Self.past)) / γ
        } catch is StepRefusal { return .nan }
      }
      let mean = ratios.reduce(0, +) / Double(ratios.count)
      return mean > 0 && mean.isFinite ? Closeness(relativeγ: mean) : nil
    }
  }
}
