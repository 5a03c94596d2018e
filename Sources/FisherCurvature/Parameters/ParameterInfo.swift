import FisherLinearAlgebra
import FisherRuntime

/// What a parameter does in its layer: an optimizer chooses its treatment by it, never by a position.
public enum ParameterRole: String, Sendable, Hashable, CaseIterable {
  /// Output × input.
  case linearWeight
  /// Output × input channels of a group × taps down × taps across.
  case convolutionWeight
  /// One value an output.
  case bias
  /// γ of a normalisation layer: one value a channel.
  case normScale
  /// β of a normalisation layer: one value a channel.
  case normShift
  /// Tokens × width.
  case embedding
  /// Anything else.
  case plain
}

/// The name, shape and role of a parameter, and the layer whose captures belong to it.
public struct ParameterInfo: Sendable, Hashable {
  /// Unique in the model: `layers.0.weight`.
  public let name: String
  /// The axes as the role lists them; at least one.
  public let shape: [Int]
  public let role: ParameterRole
  /// The name under which the layer's captures come; nil if the parameter belongs to no layer.
  public let layer: String?

  /// - Precondition: `shape` has an axis and no negative one.
  public init(name: String, shape: [Int], role: ParameterRole, layer: String? = nil) {
    require(
      !shape.isEmpty && shape.allSatisfy { $0 >= 0 }, "ParameterInfo: \(name) cannot have the shape \(shape)")
    self.name = name
    self.shape = shape
    self.role = role
    self.layer = layer
  }

  /// The number of elements.
  public var count: Int { shape.reduce(1, *) }

  /// The rows of the matrix that holds the parameter: the outputs, or 1 for a vector.
  public var rows: Int { shape.count == 1 ? 1 : shape[0] }

  /// The columns of the matrix that holds the parameter: the product of the axes after the first, or a vector's count.
  public var columns: Int { shape.count == 1 ? shape[0] : shape.dropFirst().reduce(1, *) }

  /// `layers.0.weight 100×784`
  public var summary: String { name + " " + shape.map(String.init).joined(separator: "×") }
}
