/// Where weight decay enters the update of a method that exists in both forms.
public protocol DecayForm: Sendable {
  static var isDecoupled: Bool { get }
}

/// γ·θ is part of the gradient: it passes through whatever the method does to that.
public enum CoupledDecay: DecayForm {
  public static var isDecoupled: Bool { false }
}

/// γ·θ is subtracted beside the update (Loshchilov & Hutter 2019).
public enum DecoupledDecay: DecayForm {
  public static var isDecoupled: Bool { true }
}
