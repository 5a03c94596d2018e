import FisherOptimizers

extension Check {
  /// The lengths of the steps under one gradient that stays: a bias correction that is missing, or a momentum that is
  /// applied twice, shows here, whatever the reference does.
  static let constantGradients = Check(
    name: "constant-gradients",
    meaning: "steps under a gradient that stays have the lengths that the record says",
    applies: { $0.constantResponse != nil }
  ) { subject in
    let steps = 8
    var settings = subject.probe
    for name in Set(["weightDecay", subject.record.decaySetting])
    where subject.record.hyperparameters.contains(where: { $0.name == name }) {
      settings[name] = .number(0)
    }
    let response = subject.record.constantResponse!
    var μ = 0.0
    if case .geometric(let name) = response { μ = try subject.type.init(settings).settings.number(name) }
    let path = try subject.path(subject.trace(seed: seed, steps: steps).repeatingFirstStep, settings)
    func step(_ t: Int) -> [[Double]] { combined(1, path[t], -1, path[t - 1]) }
    var (worst, sum) = (0.0, 0.0)
    for t in 1...steps {
      sum = 1 + μ * sum
      let expected = step(1).map { $0.map { $0 * (response == .equal ? 1 : sum) } }
      // Differences of weights near 1 lose digits.
      worst = max(
        worst, try demandClose(step(t), expected, within: 1e-9, "step \(t), \(described(settings))"))
    }
    return "\(steps) steps, relative error \(short(worst))"
  }
}

extension Trace {
  /// Every step sees what the first one sees.
  var repeatingFirstStep: Trace {
    Trace(
      parameters: parameters, values: values, gradients: gradients.map { _ in gradients[0] },
      batches: batches.map { batches in batches.map { _ in batches[0] } })
  }
}
