import FisherCurvature
import FisherOptimizers

extension Check {
  /// The same run in other units: of the loss, and of the weights.
  static let unitsAsDeclared = Check(
    name: "units-as-declared", meaning: "declared: how steps scale with the gradient, and so with every unit",
    applies: { $0.degree != nil }
  ) { subject in
    let trace = subject.trace(seed: seed, steps: 5)
    let (p, probe) = (subject.record.degree!, subject.probe)
    let settings = try subject.type.init(probe).settings
    let (α, decay) = (settings.number("lr"), subject.record.decaySetting)
    let γ = subject.record.weightDecay == nil ? 0 : settings.number(decay)
    // A power of two, so that nothing is rounded, that makes gradients large: an ε beside them weighs less.
    let c = 1024.0
    func power(_ n: Int) -> Double { n < 0 ? 1 / c.raised(to: -n) : c.raised(to: n) }
    let plain = try subject.run(trace, Double.self, probe)
    // ℓ → c·ℓ. Coupled decay would have to grow with the loss.
    var loud = probe
    loud["lr"] = .number(α * power(-p))
    if γ > 0 { loud[decay] = .number(γ * power(subject.record.weightDecay == .coupled ? 1 : p)) }
    let other = try subject.run(trace.scaled(gradients: c), Double.self, loud)
    var error = try demandClose(
      other, plain, within: 1e-5, "the loss times \(c), α times \(short(power(-p)))")
    // θ → θ/c, so that g → c·g.
    var small = probe
    small["lr"] = .number(α * power(-1 - p))
    if γ > 0 { small[decay] = .number(γ * power(subject.record.weightDecay == .coupled ? 2 : 1 + p)) }
    let back = try subject.run(trace.scaled(values: 1 / c, gradients: c), Double.self, small)
    error = max(
      error,
      try demandClose(
        back.map { $0.map { $0 * c } }, plain, within: 1e-5,
        "weights times \(1 / c), α times \(short(power(-1 - p)))"))
    return "degree \(p), relative error \(short(error))"
  }
}

extension Trace {
  /// The same run with weights and gradients times factors.
  func scaled(values: Double = 1, gradients: Double) -> Trace {
    changed(
      value: { $1.map { $0 * values } }, gradient: { $1.map { $0 * gradients } },
      batch: { batch in
        batch.mapLayers { $0.replacing($0.outputGradients.multiplied(by: gradients)) }
          .replacing(outputGradients: batch.outputGradients?.multiplied(by: gradients))
      })
  }
}
