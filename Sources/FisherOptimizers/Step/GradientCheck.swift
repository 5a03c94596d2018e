import FisherLinearAlgebra

/// Finds NaN and infinity in gradients when they are read, which may be before an update or in the update itself.
///
/// A pass over all gradients before the step would only read them once more.
final class GradientCheck<Scalar: KernelScalar> {
  private let threads: Int
  /// By the names of the parameters.
  private var isFinite: [String: Bool] = [:]
  /// Gradients that an update will check.
  private var updated: Set<String> = []

  init(threads: Int) { self.threads = threads }

  /// The gradient, or zeros if it is not finite: then the step will be refused, whatever is planned.
  func checked(_ gradient: Matrix<Scalar>, of parameter: ParameterInfo) -> Matrix<Scalar> {
    let known = isFinite[parameter.name] ?? gradient.isFinite(threads: threads)
    isFinite[parameter.name] = known
    return known ? gradient : Matrix(rows: gradient.rows, columns: gradient.columns)
  }

  /// An update of the parameter reads the gradient itself.
  func isUpdated(_ parameter: ParameterInfo) { updated.insert(parameter.name) }

  /// Whether the gradient was found finite, or its update will look.
  func covers(_ parameter: ParameterInfo) -> Bool {
    isFinite[parameter.name] ?? updated.contains(parameter.name)
  }
}
