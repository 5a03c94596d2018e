public import FisherOptimizers

/// Which of the two published algorithms.
public enum AdaFisherVariant: String, SettingChoice { case paper, official }

/// When min-max scaling happens: to what is read from the average, or to what enters it.
public enum AdaFisherPlacement: String, SettingChoice { case afterEMA, beforeEMA }

/// Whose output gradients S is made of: the samples' own, or those divided by ‖∂ℓ/∂z‖ of their sample.
public enum AdaFisherMatrix: String, SettingChoice { case empirical, improved }

/// F̃ itself, or a placebo that tells whether F̃ matters.
public enum AdaFisherControl: String, SettingChoice { case none, geometricMean, lambda }
