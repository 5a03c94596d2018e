import FisherCurvature

/// What a step costs beside the passes through the network, on average over the steps of a run.
///
/// Flops are additions, multiplications, divisions and roots, 1 each. Elements are those of parameters, directions and
/// state that a step reads or writes. Verification counts both and compares.
public struct Cost: Sendable {
  /// What a part of the cost occurs for.
  public enum Scope: Sendable {
    /// Once in a step.
    case step
    /// For each parameter of P elements.
    case parameter
    /// For each dense layer of I outputs and J inputs, the bias among them, and P parameters.
    case dense
    /// For each convolution of P weights in kernels of K taps, I output and J input channels.
    case convolution
    /// For each parameter of several axes as a matrix: P elements, I rows, J columns, R the shorter side.
    case matrix
    /// For each parameter of one axis, with P elements.
    case vector
  }

  /// Flops and elements for every occurrence of a scope.
  public struct Part: Sendable {
    public let scope: Scope
    public let flops: Formula
    public let elements: Formula

    public init(_ scope: Scope, flops: Formula, elements: Formula = 0) {
      self.scope = scope
      self.flops = flops
      self.elements = elements
    }
  }

  public let parts: [Part]
  /// What the formulas leave out.
  public let note: String

  public init(_ parts: [Part], note: String = "") {
    self.parts = parts
    self.note = note
  }

  /// Of an elementwise method: so many flops and elements for each of the P elements.
  public init(flops: Formula, elements: Formula, note: String = "") {
    self.init([Part(.parameter, flops: flops, elements: elements)], note: note)
  }
}

extension Cost: CustomStringConvertible {
  public var description: String {
    let texts = parts.map { part in
      let place: String
      switch part.scope {
      case .step: place = ""
      case .parameter: place = "a parameter: "
      case .dense: place = "a dense layer: "
      case .convolution: place = "a convolution: "
      case .matrix: place = "a matrix: "
      case .vector: place = "a vector: "
      }
      let elements = part.elements == 0 ? "" : ", \(part.elements) elements"
      return place + "\(part.flops) flops" + elements
    }
    return (texts + (note.isEmpty ? [] : [note])).joined(separator: "; ")
  }
}

extension Cost {
  /// The hyper-parameters that formulas divide by.
  package var periods: Set<String> {
    Set(parts.flatMap { $0.flops.terms + $0.elements.terms }.flatMap(\.powers).compactMap(\.symbol.setting))
  }

  /// The formulas' values: of all parameters, for `samples` samples and `columns` columns of the loss's curvature.
  package func value(
    of parameters: [ParameterInfo], _ settings: Settings, samples: Int, columns: Int
  ) -> (flops: Double, elements: Double) {
    var sum = (flops: 0.0, elements: 0.0)
    for part in parts {
      for sizes in Self.occurrences(of: part.scope, in: parameters) {
        func size(_ symbol: Formula.Symbol) -> Double {
          if let name = symbol.setting { return Double(settings.integer(name)) }
          switch symbol.text {
          case "N": return Double(samples)
          case "C": return Double(columns)
          default: return Double(sizes[symbol.text] ?? 0)
          }
        }
        sum.flops += part.flops.value(size)
        sum.elements += part.elements.value(size)
      }
    }
    return sum
  }

  private static func occurrences(of scope: Scope, in parameters: [ParameterInfo]) -> [[String: Int]] {
    switch scope {
    case .step: return [[:]]
    case .parameter: return parameters.map { ["P": $0.count] }
    case .dense:
      return parameters.filter { $0.role == .linearWeight }.map { weight in
        let bias = parameters.first { $0.role == .bias && $0.layer == weight.layer && $0.layer != nil }
        return [
          "I": weight.rows, "J": weight.columns + (bias == nil ? 0 : 1),
          "P": weight.count + (bias?.count ?? 0),
        ]
      }
    case .convolution:
      return parameters.filter { $0.role == .convolutionWeight }.map {
        ["P": $0.count, "K": $0.shape.dropFirst(2).reduce(1, *), "I": $0.shape[0], "J": $0.shape[1]]
      }
    case .matrix:
      return parameters.filter { $0.shape.count > 1 }.map {
        ["P": $0.count, "I": $0.rows, "J": $0.columns, "R": min($0.rows, $0.columns)]
      }
    case .vector: return parameters.filter { $0.shape.count == 1 }.map { ["P": $0.count] }
    }
  }
}
