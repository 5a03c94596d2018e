/// Which parameters of a layer take part in a sum over parameters.
public struct LayerParameters: OptionSet, Sendable, Hashable {
  public let rawValue: Int

  public init(rawValue: Int) { self.rawValue = rawValue }

  /// The weight of a linear layer, convolution or embedding; the scale γ of a normalisation.
  public static let weight = LayerParameters(rawValue: 1)
  /// The bias; the shift β of a normalisation.
  public static let bias = LayerParameters(rawValue: 2)
  public static let all: LayerParameters = [.weight, .bias]

  /// What a parameter of this role is in its layer: the bias or the shift, else the weight.
  public init(_ role: ParameterRole) { self = role == .bias || role == .normShift ? .bias : .weight }
}
