import FisherKit
import FisherRuntime

/// Where the hyper-parameters of a method are looked for: around the defaults of its record, evenly on a logarithmic
/// scale, by the same random numbers for every method.
package struct SearchSpace: Sendable {
  /// From center/factor to center·factor.
  package struct Axis: Sendable {
    package let name: String
    package let center: Double
    package let factor: Double
  }

  package let axes: [Axis]

  /// The learning rate within a factor of 30 of its default, the damping within a factor of 100.
  package init(_ record: OptimizerRecord) {
    axes = record.hyperparameters.compactMap { parameter in
      guard let factor = Self.factors[parameter.name], case .number(let center) = parameter.value, center > 0
      else { return nil }
      return Axis(name: parameter.name, center: center, factor: factor)
    }
  }

  /// λ is the damping of AdaFisher.
  private static let factors = ["lr": 30.0, "damping": 100, "lambda": 100]

  /// The setting of a trial: that of the defaults in trial 0, a random one in any other. Three digits are kept, so that
  /// what is printed is what was run.
  package func setting(trial: Int) -> [String: String] {
    if trial == 0 { return [:] }
    return Dictionary(
      uniqueKeysWithValues: axes.enumerated().map { number, axis in
        var generator = KeyedGenerator(22, UInt64(trial), UInt64(number))
        let value = axis.center * pow(axis.factor, 2 * generator.unit() - 1)
        let unit = pow(10, floor(log10(value)) - 2)
        return (axis.name, shortest(Double("\(Float((value / unit).rounded() * unit))") ?? value))
      })
  }
}
