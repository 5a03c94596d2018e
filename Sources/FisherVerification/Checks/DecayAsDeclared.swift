import FisherLinearAlgebra
import FisherOptimizers

extension Check {
  /// The equation between a run with weight decay and one without: neither needs the reference, which may share its
  /// author's error.
  static let decayAsDeclared = Check(
    name: "decay-as-declared",
    meaning: "weight decay does to each step exactly what the record says, and nothing else",
    applies: { $0.weightDecay != nil }
  ) { subject in
    let (γ, α) = (0.25, 0.0625)
    let name = subject.record.decaySetting
    let with = subject.probe.merging([name: .number(γ), "lr": .number(α)]) { $1 }
    let without = with.merging([name: .number(0)]) { $1 }
    let trace = subject.trace(seed: seed, steps: 5)
    let decay = subject.record.weightDecay!
    let path = try subject.path(trace, with)
    let (found, expected): ([[Double]], [[Double]])
    switch decay {
    case .coupled:
      // The same run, shown g + γ·θ.
      let shown = trace.changedGradients { t, g in combined(1, g, γ, path[t]) }
      (found, expected) = (path.last!, try subject.run(shown, Double.self, without))
    case .decoupled:
      (found, expected) = (
        stepsAlong(1, 1 - α * γ, path), stepsAlong(1, 1, try subject.path(trace, without))
      )
    case .implicit:
      (found, expected) = (
        stepsAlong(1 + α * γ, 1, path), stepsAlong(1, 1, try subject.path(trace, without))
      )
    }
    let error = try demandClose(
      found, expected, within: 1e-10, "\(decay.rawValue) decay, \(described(with))")
    return "\(decay.rawValue), relative error \(short(error))"
  }
}

/// a·x + b·y, parameter by parameter.
func combined(_ a: Double, _ x: [[Double]], _ b: Double, _ y: [[Double]]) -> [[Double]] {
  zip(x, y).map { x, y in zip(x, y).map { x, y in a * x + b * y } }
}

/// a·θₜ₊₁ − b·θₜ along a path, all steps one after the other.
private func stepsAlong(_ a: Double, _ b: Double, _ path: [[[Double]]]) -> [[Double]] {
  zip(path.dropFirst(), path).flatMap { new, old in combined(a, new, -b, old) }
}

extension Subject {
  /// The weights before the first step and after each.
  func path(_ trace: Trace, _ settings: [String: SettingValue]) throws -> [[[Double]]] {
    [trace.values]
      + (try (1...trace.gradients.count).map { try run(trace.prefix($0), Double.self, settings) })
  }
}

extension Trace {
  /// The same run with the gradients of each step changed; steps count from 0.
  func changedGradients(_ change: (Int, [[Double]]) -> [[Double]]) -> Trace {
    Trace(
      parameters: parameters, values: values,
      gradients: gradients.enumerated().map { change($0.offset, $0.element) }, batches: batches)
  }
}
