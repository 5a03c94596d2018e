import FisherCurvature
import FisherLinearAlgebra
import FisherRuntime

/// y = x + E: row t of a learned table is added at position t of every sample.
///
/// As a capture it is an embedding whose tokens are the positions.
struct PositionOperation<Scalar: KernelScalar>: Operation {
  let positions: Int
  let width: Int

  var kind: LayerKind? { .embedding(tokens: positions) }
  var capturesPositions: Bool { true }

  var parameters: [OperationParameter] {
    [
      OperationParameter(
        name: "weight", shape: [positions, width], role: .embedding, initial: .normal(deviation: 0.02))
    ]
  }

  func forward(_ call: NodeCall<Scalar>) { add(call, call.input, call.parameters[0], call.output) }

  /// dE = Σ dy over the samples, in their order; dx = dy.
  func backward(_ call: NodeCall<Scalar>) {
    let (dy, size) = (UnsafePointer(call.outputGradient.base), positions * width)
    if let gradients = call.parameterGradients {
      Stretches.perform(size, threads: call.threads) { range in
        for n in 0..<call.samples {
          accumulate(
            dy + (n * size + range.lowerBound), into: gradients[0].base + range.lowerBound,
            count: range.count,
            adds: n > 0)
        }
      }
    }
    guard let target = call.inputGradient else { return }
    Stretches.perform(call.count, threads: call.threads) { range in
      accumulate(
        dy + range.lowerBound, into: target.base + range.lowerBound, count: range.count,
        adds: call.addsInputGradient)
    }
  }

  func pushForward(_ call: NodeCall<Scalar>) {
    add(call, call.inputTangent, call.parameterTangents[0], call.outputTangent)
  }

  /// y ← x + E, or E alone.
  private func add(
    _ call: NodeCall<Scalar>, _ x: MatrixPointer<Scalar>?, _ table: MatrixPointer<Scalar>,
    _ y: MutableMatrixPointer<Scalar>
  ) {
    let size = positions * width
    let isSmall = call.count < 16384
    Parallel.perform(call.samples, threads: isSmall ? 1 : call.threads) { n in
      let row = y.base + n * size
      row.update(from: table.base, count: size)
      if let x { accumulate(x.base + n * size, into: row, count: size, adds: true) }
    }
  }
}
