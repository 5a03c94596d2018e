import FisherCurvature
import FisherLinearAlgebra

/// y = activation(x·Wᵀ + b) on the last axis, W outputs × inputs.
struct LinearOperation<Scalar: KernelScalar>: Operation {
  let inputs: Int
  let outputs: Int
  let positions: Int
  let hasBias: Bool
  let rectifier: Rectifier<Scalar>

  var kind: LayerKind? { .linear(hasBias: hasBias) }

  var parameters: [OperationParameter] {
    let weight = OperationParameter(
      name: "weight", shape: [outputs, inputs], role: .linearWeight,
      initial: .weight(fanIn: inputs, fanOut: outputs))
    let bias = OperationParameter(
      name: "bias", shape: [outputs], role: .bias, initial: .bias(fanIn: inputs))
    return hasBias ? [weight, bias] : [weight]
  }

  func forward(_ call: NodeCall<Scalar>) {
    let bias: Epilogue<Scalar>.Bias =
      hasBias ? .row(VectorPointer(call.parameters[1].base, count: outputs)) : .none
    gemm(
      Gemm(
        alpha: 1, a: call.input.reshaped(columns: inputs), b: call.parameters[0].transposed, beta: 0,
        c: call.output.reshaped(columns: outputs),
        epilogue: Epilogue(bias: bias, activation: rectifier.activation)),
      on: call.backend, threads: call.threads)
  }

  /// δ = dL/dy ⊙ activation′;  dW = δᵀ·x, db = Σ δ, dx = δ·W.
  func backward(_ call: NodeCall<Scalar>) {
    let x = call.input.reshaped(columns: inputs)
    let δ = call.outputGradient.reshaped(columns: outputs)
    PreActivation.gradient(
      δ, output: call.output.readOnly.reshaped(columns: outputs), rectifier,
      sums: hasBias ? call.parameterGradients?[1].base : nil, threads: call.threads)
    if let gradients = call.parameterGradients {
      gemm(
        Gemm(alpha: 1, a: δ.readOnly.transposed, b: x, beta: 0, c: gradients[0]), on: call.backend,
        threads: call.threads)
    }
    if let inputGradient = call.inputGradient {
      gemm(
        Gemm(
          alpha: 1, a: δ.readOnly, b: call.parameters[0], beta: call.inputBeta,
          c: inputGradient.reshaped(columns: inputs)), on: call.backend, threads: call.threads)
    }
  }
}
