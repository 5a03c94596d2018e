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
  var productFlops: Double { 2 * Double(positions * inputs * outputs) }

  var parameters: [OperationParameter] {
    let weight = OperationParameter(
      name: "weight", shape: [outputs, inputs], role: .linearWeight,
      initial: .weight(fanIn: inputs, fanOut: outputs))
    let bias = OperationParameter(
      name: "bias", shape: [outputs], role: .bias, initial: .bias(fanIn: inputs))
    return hasBias ? [weight, bias] : [weight]
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  func forward(_ call: NodeCall<Scalar>) {
    multiply(
      call, call.input, call.parameters[0], bias: hasBias ? call.parameters[1].base : nil, rectifier, beta: 0,
      call.output)
  }

  /// δ = dL/dy ⊙ activation′;  dW = δᵀ·x, db = Σ δ, dx = δ·W.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  func backward(_ call: NodeCall<Scalar>) {
    let x = call.input.reshaped(columns: inputs)
    let δ = call.outputGradient.reshaped(columns: outputs)
    rectifier.gradient(
      δ, output: call.output.readOnly.reshaped(columns: outputs),
      sums: hasBias ? call.parameterGradients?[1].base : nil, on: call.backend, threads: call.threads)
    if let gradients = call.parameterGradients {
      gemm(
        Gemm(
          alpha: 1, a: δ.readOnly.transposed, b: x, beta: call.addsParameterGradients ? 1 : 0, c: gradients[0]
        ),
        on: call.backend, threads: call.threads)
    }
    if let inputGradient = call.inputGradient {
      gemm(
        Gemm(
          alpha: 1, a: δ.readOnly, b: call.parameters[0], beta: call.inputBeta,
          c: inputGradient.reshaped(columns: inputs)), on: call.backend, threads: call.threads)
    }
  }

  /// ẏ = activation′ ⊙ (x·Ẇᵀ + ḃ + ẋ·Wᵀ)
  func pushForward(_ call: NodeCall<Scalar>) {
    multiply(
      call, call.input, call.parameterTangents[0], bias: hasBias ? call.parameterTangents[1].base : nil,
      .none,
      beta: 0, call.outputTangent)
    if let tangent = call.inputTangent {
      multiply(call, tangent, call.parameters[0], bias: nil, .none, beta: 1, call.outputTangent)
    }
    rectifier.gradient(
      call.outputTangent.reshaped(columns: outputs), output: call.output.readOnly.reshaped(columns: outputs),
      sums: nil, on: call.backend, threads: call.threads)
  }

  /// y ← activation(x·Wᵀ + β·y + b)
  private func multiply(
    _ call: NodeCall<Scalar>, _ x: MatrixPointer<Scalar>, _ weight: MatrixPointer<Scalar>,
    bias: UnsafePointer<Scalar>?, _ rectifier: Rectifier<Scalar>, beta: Scalar,
    _ y: MutableMatrixPointer<Scalar>
  ) {
    let bias: Epilogue<Scalar>.Bias = bias.map { .row(VectorPointer($0, count: outputs)) } ?? .none
    gemm(
      Gemm(
        alpha: 1, a: x.reshaped(columns: inputs), b: weight.transposed, beta: beta,
        c: y.reshaped(columns: outputs), epilogue: Epilogue(bias: bias, activation: rectifier.activation)),
      on: call.backend, threads: call.threads)
  }
}
