import FisherCurvature
import FisherLinearAlgebra
import FisherRuntime

/// Row t of the table for every token t: inputs are tokens' numbers, outputs positions × width.
struct EmbeddingOperation<Scalar: KernelScalar>: Operation {
  let tokens: Int
  let width: Int
  let positions: Int
  private static var taskWidth: Int { 64 }

  var kind: LayerKind? { .embedding(tokens: tokens) }

  var parameters: [OperationParameter] {
    [
      OperationParameter(
        name: "weight", shape: [tokens, width], role: .embedding, initial: .normal(deviation: 1))
    ]
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  func forward(_ call: NodeCall<Scalar>) {
    for i in 0..<call.samples * positions {
      let token = call.input.base[i]
      require(
        token >= 0 && token < Scalar(tokens) && token == token.rounded(.down),
        "Workspace: \(token) at position \(i % positions) of sample \(i / positions) is no token below \(tokens)"
      )
    }
    look(call, call.parameters[0].base, call.output.base)
  }

  func pushForward(_ call: NodeCall<Scalar>) {
    look(call, call.parameterTangents[0].base, call.outputTangent.base)
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private func look(
    _ call: NodeCall<Scalar>, _ table: UnsafePointer<Scalar>, _ target: UnsafeMutablePointer<Scalar>
  ) {
    for i in 0..<call.samples * positions {
      (target + i * width).update(from: table + Int(call.input.base[i]) * width, count: width)
    }
  }

  /// Row t of dW = Σ dy over the places of t, in their order.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  func backward(_ call: NodeCall<Scalar>) {
    guard let gradients = call.parameterGradients else { return }
    let (target, dy) = (gradients[0].base, UnsafePointer(call.outputGradient.base))
    if !call.addsParameterGradients { target.update(repeating: 0, count: tokens * width) }
    let tasks = (width + Self.taskWidth - 1) / Self.taskWidth
    Parallel.perform(tasks, threads: call.count < 65536 ? 1 : call.threads) { task in
      let first = task * Self.taskWidth
      for i in 0..<call.samples * positions {
        accumulate(
          dy + (i * width + first), into: target + (Int(call.input.base[i]) * width + first),
          count: min(Self.taskWidth, width - first), adds: true)
      }
    }
  }
}
