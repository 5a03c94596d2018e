import FisherOptimizers

extension DecayForm {
  /// What γ does.
  static var meaning: String {
    isDecoupled ? "γ: θ is multiplied with 1 − α·γ first" : "γ: γ·θ is added to the gradient"
  }
}
