import FisherCommandLine
import FisherKit
import FisherRuntime

/// What is compared: an optimizer of the registry, or a placebo made of one.
package struct Method: Sendable, Hashable {
  /// `kfac`, `kfac:units`, `adafisher:lambda`.
  package let name: String
  /// The optimizer's name.
  package let base: String
  /// Nil for the optimizer as it is.
  package let control: Control?

  /// What is changed in a placebo.
  package enum Control: String, Sendable, CaseIterable {
    /// Curvature of units that were exchanged.
    case units
    /// Output gradients of other samples than the inputs.
    case samples
    /// The gradient, as long as the method's step.
    case norm
    /// AdaFisher's λ in the place of its Fisher matrix.
    case lambda
    /// AdaFisher's Fisher matrix replaced by its geometric mean.
    case geometricMean

    /// What a reader should know.
    package var meaning: String {
      switch self {
      case .units: "the curvature of the same layer with its inputs and outputs in another order"
      case .samples: "the curvature of inputs paired with the output gradients of other samples"
      case .norm: "the plain gradient, scaled to the length of the method's own step"
      case .lambda: "λ in the place of the Fisher matrix"
      case .geometricMean: "the Fisher matrix replaced by its geometric mean over a layer"
      }
    }
  }

  /// - Throws: ``UsageError`` for an unknown optimizer, or a placebo that cannot be made of it.
  package init(_ name: String) throws(UsageError) {
    let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let type = try Self.type(parts[0])
    self.name = name
    base = parts[0]
    guard parts.count == 2 else {
      control = nil
      return
    }
    let possible = Self.controls(of: type)
    guard let control = possible.first(where: { $0.rawValue == parts[1] }) else {
      let names = possible.map { parts[0] + ":" + $0.rawValue }.joined(separator: ", ")
      throw UsageError(
        "\(quoted(name)) is no placebo; "
          + "of \(parts[0]) there are \(names)")
    }
    self.control = control
  }

  /// The placebos that say something about the method.
  ///
  /// Units need a gradient beside the captures, or the step would be no descent at all. Samples matter only to methods
  /// whose curvature is of products of both sides. MBF with its defaults looks at no captures: there is nothing to
  /// exchange.
  static func controls(of type: any Optimizer.Type) -> [Control] {
    let record = type.record
    var controls: [Control] = [.norm]
    let needs = type.init().needs(step: 1)
    if needs.contains(.gradients) && !needs.isDisjoint(with: .captures) {
      controls.append(.units)
      if ["ekfac", "tnt"].contains(record.name) { controls.append(.samples) }
    }
    if record.hyperparameters.contains(where: { $0.name == "control" }) {
      controls += [.lambda, .geometricMean]
    }
    return controls
  }

  /// Every optimizer of the package, and the placebos that are compared unless others are asked for.
  package static let standard: [Method] = {
    let placebos = [
      "adafisher:geometricMean", "adafisher:lambda", "ekfac:units", "foof:units", "kfac:norm", "kfac:units",
      "mbf:norm", "tnt:samples",
    ]
    do { return try (OptimizerRegistry.installed.names + placebos).map { try Method($0) } } catch {
      fatalError("Method: \(error)")
    }
  }()

  package var isPlacebo: Bool { control != nil }

  var record: OptimizerRecord {
    do { return try Self.type(base).record } catch { fatalError("Method: \(error)") }
  }

  /// The optimizer with these hyper-parameters, as texts.
  ///
  /// - Throws: `SettingsError`.
  package func optimizer(_ settings: [String: String]) throws -> any Optimizer {
    let type = try Self.type(base)
    var texts = settings
    if control == .lambda || control == .geometricMean { texts["control"] = control?.rawValue }
    let optimizer = type.init(settings: try Settings(type.record, parsing: texts))
    switch control {
    case .units: return optimizer.shadowed(by: .units)
    case .samples: return optimizer.shadowed(by: .samples)
    case .norm: return optimizer.shadowed(by: .norm)
    case .lambda, .geometricMean, nil: return optimizer
    }
  }

  private static func type(_ name: String) throws(UsageError) -> any Optimizer.Type {
    do { return try OptimizerRegistry.installed.type(name) } catch { throw UsageError("\(error)") }
  }
}
