/// Which distribution the labels behind a gradient come from. A type, so that one kind cannot pass for another.
public protocol FisherKind: Sendable {
  /// The name in reports.
  static var name: String { get }
}

/// The labels of the data: the empirical Fisher matrix.
public enum Empirical: FisherKind {
  public static var name: String { "empirical" }
}

/// Labels drawn from the model's own distribution: an unbiased estimate of the Fisher matrix.
public enum Sampled: FisherKind {
  public static var name: String { "sampled" }
}

/// All labels, weighted with the model's probabilities: the Fisher matrix itself.
public enum Exact: FisherKind {
  public static var name: String { "exact" }
}
