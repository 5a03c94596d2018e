/// How the positions of a layer that uses its weights at each of them (pixels, tokens) enter its Kronecker factors.
///
/// Source: R. Eschenhagen et al., Kronecker-Factored Approximate Curvature for Modern Neural Network Architectures (2023).
public enum WeightSharing: String, Sendable, CaseIterable {
  /// Every position counts as a sample of its own; for convolutions this is KFC (Grosse & Martens 2016).
  case expand
  /// First the inputs of a sample are averaged and its output gradients added over the positions.
  case reduce
}
