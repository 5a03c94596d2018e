public import FisherOptimizers

/// Whether λ is relative to the Gram matrix or an absolute number.
public enum DampingMode: String, SettingChoice { case relative, absolute }

/// What becomes of a direction. Ours: the papers have none of it but unit steps for EF and SF.
public struct Postprocessing: SettingGroup {
  @Setting public var normalize: Bool
  @Setting public var maxNorm: Double
  @Setting("μ of the heavy ball on the direction", .halfOpen(0, 1), source: "ours") public var momentum = 0.0
  @Setting("γ: α·γ·θ is subtracted beside the step", .nonNegative, source: "ours") public var weightDecay =
    0.0

  init(normalizes: Bool, maxNorm: Double = 0, maxNormSource: String = "ours") {
    _normalize = Setting(
      wrappedValue: normalizes, "take steps of length α", source: "Wu et al. 2024, appendix H")
    _maxNorm = Setting(
      wrappedValue: maxNorm, "the longest step; 0 for no limit", .nonNegative, source: maxNormSource)
  }

  mutating func set(
    _ normalize: Bool?, _ maxNorm: Double?, _ momentum: Double?, _ weightDecay: Double?
  ) {
    _normalize.set(normalize)
    _maxNorm.set(maxNorm)
    _momentum.set(momentum)
    _weightDecay.set(weightDecay)
  }
}

/// What the hyper-parameters of iEF, EF, SF and NGD have in common.
protocol SampleSpaceMethod: Optimizer {
  var lr: Double { get }
  var damping: Double { get }
  var dampingMode: DampingMode { get }
  /// The largest |cos| of two gradients that are both kept.
  var duplicates: Double { get }
  var postprocessing: Postprocessing { get }
}

extension SampleSpaceMethod {
  var duplicates: Double { 1 }
}
