/// What an optimizer must be given in a step. The trainer computes and keeps just that.
public struct Needs: OptionSet, Sendable, Hashable, CustomStringConvertible {
  public let rawValue: Int

  public init(rawValue: Int) { self.rawValue = rawValue }

  /// The gradients of all parameters, of the mean loss.
  public static let gradients = Needs(rawValue: 1)
  /// Each layer's inputs.
  public static let inputs = Needs(rawValue: 2)
  /// Each layer's pre-activation gradients, with the labels of the data.
  public static let outputGradients = Needs(rawValue: 4)
  /// The gradient of every sample's loss by the network's output.
  public static let logitGradients = Needs(rawValue: 8)
  /// A second backward pass with labels sampled from the model.
  public static let sampledLabels = Needs(rawValue: 16)
  /// The same batch at other weights: its loss, or what passes through the layers.
  public static let evaluation = Needs(rawValue: 32)
  /// A backward pass for every column of a square root of the loss's curvature.
  public static let exactFisher = Needs(rawValue: 64)

  /// Products of the Hessian of the mean loss with vectors.
  public static let hessianProducts = Needs(rawValue: 128)

  /// Inputs and output gradients together.
  public static let captures: Needs = [.inputs, .outputGradients]

  /// `gradients, inputs, output gradients`
  public var description: String {
    let names: [(Needs, String)] = [
      (.gradients, "gradients"), (.inputs, "inputs"), (.outputGradients, "output gradients"),
      (.logitGradients, "logit gradients"), (.sampledLabels, "sampled labels"), (.evaluation, "evaluation"),
      (.exactFisher, "the exact Fisher matrix"), (.hessianProducts, "products of the Hessian"),
    ]
    return names.filter { contains($0.0) }.map(\.1).joined(separator: ", ")
  }
}
