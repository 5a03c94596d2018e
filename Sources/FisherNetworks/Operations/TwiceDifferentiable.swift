import FisherLinearAlgebra

/// An operation whose backward pass has a tangent: what products of the Hessian with vectors are made of (Pearlmutter 1994).
///
/// Apart from ``Operation``, so that a layer without second derivatives is one that can be named.
protocol TwiceDifferentiable<Scalar>: Operation {
  /// The derivatives are those of the function that this value is.
  var hasSecondDerivatives: Bool { get }

  /// d/dt of ``Operation/backward(_:)`` where input, parameters and ``NodeCall/outputGradient`` move along their tangents.
  ///
  /// - Parameters:
  ///   - call: after the forward pass, its tangents, and the backward pass, which has made the gradient of the pre-activations
  ///     of ``NodeCall/outputGradient`` where there are any.
  ///   - tangents: of the gradients. That of the output may be overwritten; those of the parameters are written, those of the
  ///     inputs written or added to as the gradients are.
  func pushBackward(_ call: NodeCall<Scalar>, _ tangents: GradientTangents<Scalar>)
}

/// The tangents of the gradients of one node.
struct GradientTangents<Scalar: KernelScalar> {
  let output: MutableMatrixPointer<Scalar>
  /// Nil if nothing before this node learns.
  let input: MutableMatrixPointer<Scalar>?
  let other: MutableMatrixPointer<Scalar>?
  let parameters: UnsafePointer<MutableMatrixPointer<Scalar>>
}

extension TwiceDifferentiable {
  var hasSecondDerivatives: Bool { true }

  /// The part of the tangent in which the output's gradient moves: the backward pass is linear in that.
  func pushGradient(_ call: NodeCall<Scalar>, _ tangents: GradientTangents<Scalar>) {
    var back = call
    back.outputGradient = tangents.output
    back.inputGradient = tangents.input
    back.otherGradient = tangents.other
    back.parameterGradients = tangents.parameters
    backward(back)
  }
}

/// Linear, or piecewise linear, without weights that multiply the input: nothing but the output's gradient moves the backward
/// pass.
protocol PiecewiseLinear<Scalar>: TwiceDifferentiable {}

extension PiecewiseLinear {
  func pushBackward(_ call: NodeCall<Scalar>, _ tangents: GradientTangents<Scalar>) {
    pushGradient(call, tangents)
  }
}

extension RectifierOperation: PiecewiseLinear {}
extension SumOperation: PiecewiseLinear {}
extension DropoutOperation: PiecewiseLinear {}
extension PoolOperation: PiecewiseLinear {}
extension EmbeddingOperation: PiecewiseLinear {}
extension PositionOperation: PiecewiseLinear {}
extension StencilOperation: PiecewiseLinear {}
