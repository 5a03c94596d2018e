public import FisherOptimizers

extension Optimizer {
  /// The method with a part around it: `AdamW(lr: 3e-3).cautious().clipped(perLayer: 1)`.
  ///
  /// Parts that bound or schedule what a method sees go around it like those that change its step: what was said last is
  /// the outermost. A schedule belongs outside of a trust ratio, which would take it back.
  public func with<Part: OptimizerPart>(_ part: Part) -> With<Part, Self> { With(part, around: self) }

  /// ``Caution``.
  public func cautious(scaled: Bool = true) -> With<Caution, Self> { with(Caution(scaled: scaled)) }
  /// ``ClipNorm``.
  public func clipped(norm limit: Double) -> With<ClipNorm, Self> { with(ClipNorm(limit: limit)) }
  /// ``ClipValue``.
  public func clipped(value limit: Double) -> With<ClipValue, Self> { with(ClipValue(limit: limit)) }
  /// ``ClipLayer``.
  public func clipped(perLayer limit: Double) -> With<ClipLayer, Self> { with(ClipLayer(limit: limit)) }
  /// ``ClipKL``.
  public func clipped(divergence limit: Double) -> With<ClipKL, Self> { with(ClipKL(limit: limit)) }
  /// ``Momentum``.
  public func withMomentum(_ beta: Double = 0.9, nesterov: Bool = false) -> With<Momentum, Self> {
    with(Momentum(beta, nesterov: nesterov))
  }
  /// ``Decay``.
  public func decaying(_ rate: Double) -> With<Decay, Self> { with(Decay(rate)) }
  /// ``TrustRatio``.
  public func trusting(min: Double = 0, max: Double = 10) -> With<TrustRatio, Self> {
    with(TrustRatio(min: min, max: max))
  }
  /// ``Graft``.
  public func grafted<Donor: Optimizer>(lengthOf donor: Donor) -> With<Graft<Donor>, Self> {
    with(Graft(donor))
  }
  /// ``EMA``.
  public func averaged(_ beta: Double = 0.999) -> With<EMA, Self> { with(EMA(beta)) }
  /// ``PolyakAverage``.
  public func averaged(from start: Int) -> With<PolyakAverage, Self> { with(PolyakAverage(start: start)) }
  /// ``ScheduleFree``.
  public func scheduleFree(_ beta: Double = 0.9) -> With<ScheduleFree, Self> { with(ScheduleFree(beta)) }
  /// ``WarmUp``.
  public func warmedUp(steps: Int) -> With<WarmUp, Self> { with(WarmUp(steps: steps)) }
  /// ``ScheduledRate``.
  public func scheduled(_ shape: ScheduledRate.Shape, steps: Int, end: Double = 0) -> With<
    ScheduledRate, Self
  > {
    with(ScheduledRate(shape, steps: steps, end: end))
  }
}
