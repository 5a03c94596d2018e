import FisherLinearAlgebra
import FisherRuntime

// A backward pass through a product is bilinear: in the output's gradient δ, and in input and weight. Its tangent is the pass
// with δ̇ for δ, and the pass with ẋ and Ẇ for x and W. A rectifier at its end is linear almost everywhere.

extension LinearOperation: TwiceDifferentiable {
  /// dẆ = δ̇ᵀ·x + δᵀ·ẋ, dḃ = Σ δ̇, dẋ = δ̇·W + δ·Ẇ
  func pushBackward(_ call: NodeCall<Scalar>, _ tangents: GradientTangents<Scalar>) {
    pushGradient(call, tangents)
    guard let inputTangent = call.inputTangent, let target = tangents.input else { return }
    let δ = call.outputGradient.readOnly.reshaped(columns: outputs)
    let ẋ = inputTangent.reshaped(columns: inputs)
    gemm(
      Gemm(alpha: 1, a: δ.transposed, b: ẋ, beta: 1, c: tangents.parameters[0]), on: call.backend,
      threads: call.threads)
    gemm(
      Gemm(
        alpha: 1, a: δ, b: call.parameterTangents[0], beta: 1, c: target.reshaped(columns: inputs)),
      on: call.backend, threads: call.threads)
  }
}

extension ConvolutionOperation: TwiceDifferentiable {
  /// For each group dẆ = Σ δ̇·patchesᵀ + δ·ṗatchesᵀ, dẋ = fold(Wᵀ·δ̇ + Ẇᵀ·δ).
  func pushBackward(_ call: NodeCall<Scalar>, _ tangents: GradientTangents<Scalar>) {
    pushGradient(call, tangents)
    guard let inputTangent = call.inputTangent else { return }
    let total = tangents.parameters[0]
    let count = total.rows * total.columns
    Scratch.with(count, of: Scalar.self) { scratch in
      let part = matrix(scratch, total.rows, total.columns)
      withUnsafePointer(to: part) { part in
        var second = call
        second.input = inputTangent
        second.parameters = call.parameterTangents
        second.parameterGradients = part
        second.inputGradient = tangents.input
        second.addsInputGradient = true
        ConvolutionGradients(layer: self, call: second).run()
      }
      accumulate(UnsafePointer(scratch), into: total.base, count: count, adds: true)
    }
  }
}
