public import FisherCurvature
public import FisherLinearAlgebra
import FisherRuntime

// The exact Fisher matrix of a batch, for methods and measurements that can pay for one backward pass an output.

extension Workspace {
  /// A square root of every sample's loss curvature in the outputs, and the loss's gradient in its terms; of the sum of
  /// the losses.
  ///
  /// With several rows of outputs a sample, the factors of one row are zero in the others.
  public func outputCurvature() -> OutputCurvature<Scalar> {
    keepCaptures()
    prepareOutputGradients()
    let slot = network.program.output.slot
    let gradients = network.reduction.outputGradients(
      gradients[slot].lend(rows: sampleCount), terms: termCount
    ).ofSum
    let columns = network.output.features
    var rows = network.loss.curvature(
      outputs.reshaped(rows: rowCount, columns: columns),
      gradients.reshaped(rows: rowCount, columns: columns))
    if let rowWeights { rows = rows.weighted(rowWeights) }
    return rows.spread(over: network.output.positions)
  }

  /// A backward pass on the last forward pass from given gradients of the outputs: what passed through the layers.
  ///
  /// - Parameters:
  ///   - values: those of the forward pass.
  ///   - outputGradients: of the shape of ``outputs``, taken as gradients of a sum over samples.
  ///   - kind: which Fisher matrix the result belongs to.
  public func captures<Kind: FisherKind>(
    _ values: [Matrix<Scalar>], from outputGradients: Matrix<Scalar>, as kind: Kind.Type
  ) -> Captures<Scalar, Kind> {
    require(
      outputGradients.rows == sampleCount && outputGradients.columns == network.output.count,
      "Workspace: output gradients of \(outputGradients.rows)×\(outputGradients.columns) for \(sampleCount) "
        + "samples of \(network.output)")
    keepCaptures()
    placeGradients()
    outputGradients.withPointer { backend.copy($0, to: places.gradients[network.program.output.slot]) }
    var none: [Matrix<Scalar>] = []
    propagate(values, &none, .captures)
    return Captures(captured { .ofSum($0, terms: $1) })
  }

  /// The Fisher matrix of the batch as a sum of products: a backward pass for every column of the curvature's root.
  ///
  /// - Parameter values: those of the forward pass.
  public func exactFisher(_ values: [Matrix<Scalar>]) -> ExactFisher<Scalar> {
    let curvature = outputCurvature()
    return ExactFisher(
      columns: curvature.factors.map { captures(values, from: $0, as: Exact.self) },
      coefficients: curvature.coefficients)
  }

  /// ΔᵀFΔ and Δᵀ∇L for a direction Δ, with the Fisher matrix and the gradient of the sum of the losses: one forward pass
  /// of tangents (Wu et al. 2024, section 4).
  ///
  /// - Parameters:
  ///   - values: those of the forward pass.
  ///   - direction: shaped as the parameters.
  public func fisherQuadratic(
    _ values: [Matrix<Scalar>], along direction: [Matrix<Scalar>]
  ) -> (quadratic: Double, slope: Double) {
    let curvature = outputCurvature()
    let tangent = outputTangent(values, along: direction)
    let samples = sampleCount
    var (quadratic, slope) = (0.0, 0.0)
    for (r, factor) in curvature.factors.enumerated() {
      for n in 0..<samples {
        var product = 0.0
        for j in 0..<tangent.columns { product += Double(factor[n, j]) * Double(tangent[n, j]) }
        quadratic += product * product
        slope += curvature.coefficients[n, r] * product
      }
    }
    return (quadratic, slope)
  }
}

extension LossFunction {
  /// The curvature of each row's loss; see ``OutputCurvature``.
  func curvature<S: KernelScalar>(_ z: Matrix<S>, _ gradients: Matrix<S>) -> OutputCurvature<S> {
    switch self {
    case .softmaxCrossEntropy, .weightedCrossEntropy:
      let rows = (0..<z.rows).flatMap { Self.softmax(z.row($0).array) }
      return .softmax(Matrix(rows, rows: z.rows, columns: z.columns), gradients: gradients)
    case .binaryCrossEntropy:
      let h = z.array.map { z -> S in
        let t = exp(-abs(Double(z)))
        return S(t / ((1 + t) * (1 + t)))
      }
      return .diagonal(Matrix(h, rows: z.rows, columns: z.columns), gradients: gradients)
    case .squaredError:
      return .diagonal(Matrix(repeating: 1, rows: z.rows, columns: z.columns), gradients: gradients)
    }
  }

  private static func softmax<S: KernelScalar>(_ z: [S]) -> [S] {
    let largest = Double(z.max() ?? 0)
    let terms = z.map { exp(Double($0) - largest) }
    let sum = terms.reduce(0, +)
    return terms.map { S($0 / sum) }
  }
}
