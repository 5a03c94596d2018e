import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

extension EigenBasis {
  /// S = Σₙ (U_Gᵀ·vₙ·U_A)²/M with vₙ the gradient of the loss of sample n by [W b], and M the terms of the mean loss;
  /// zeros for a layer without captures. Its sum is the trace of the layer's Fisher block.
  func batchMoments(
    of layer: KroneckerLayer, _ captures: ShardedCaptures<S>?, _ step: inout Step<S>
  ) throws(StepRefusal) -> Matrix<S> {
    let (backend, threads) = (step.backend, step.threads)
    let capture = layer.layer.flatMap { captures?.layers[$0] }
    if let captures, !captures.isWhole, let name = layer.layer, capture?.hasFactors == true {
      let sum = try captures.total { shard in
        var part = Matrix<S>(rows: layer.outputs, columns: layer.inputs)
        let capture = shard.layers[name]
        setBatchMoments(&part, capture, layer.parameters, on: backend, threads: threads)
        scal(alpha: S((capture?.meanTerms ?? 0) / captures.terms), &part, on: backend)
        return part.array
      }
      return Matrix(sum, rows: layer.outputs, columns: layer.inputs)
    }
    return step.temporary("S", of: layer.owner, rows: layer.outputs, columns: layer.inputs) { moments in
      setBatchMoments(&moments, capture, layer.parameters, on: backend, threads: threads)
    }
  }

  /// The same, written in full to memory of the caller.
  package func setBatchMoments(
    _ moments: inout Matrix<S>, _ capture: LayerCapture<S>?, _ parameters: LayerParameters,
    on backend: any Backend, threads: Int
  ) {
    guard let capture, capture.hasFactors else { return scal(alpha: 0, &moments, on: backend) }
    if case .linear = capture.kind, capture.positions == 1 {
      setProductOfSquares(&moments, capture, parameters, backend, threads)
    } else {
      setSquaresOfFormed(&moments, capture, parameters, backend, threads)
    }
    shareNullMoments(&moments)
  }

  /// (U_Gᵀ·d·hᵀ·U_A)² is the product of the squares of U_Gᵀ·d and of U_Aᵀ·h: one product for all samples.
  private func setProductOfSquares(
    _ moments: inout Matrix<S>, _ capture: LayerCapture<S>, _ parameters: LayerParameters,
    _ backend: any Backend, _ threads: Int
  ) {
    let (D, H) = (capture.outputGradients.values, capture.inputs)
    let n = parameters.contains(.weight) ? H.columns : 0
    var inputs = Matrix<S>(rows: H.rows, columns: basis.right.rows)
    // The 1 of the bias adds its row of U_A.
    gemm(
      H[rows: 0..., columns: 0..<n], basis.right[rows: 0..<n, columns: 0...], into: &inputs,
      bias: parameters.contains(.bias) ? basis.right.row(n) : nil, on: backend, threads: threads)
    var outputs = Matrix<S>(rows: D.rows, columns: D.columns)
    gemm(D, basis.left, into: &outputs, on: backend, threads: threads)
    square(&inputs)
    square(&outputs)
    gemm(
      alpha: scale(capture), outputs.transposed, inputs, into: &moments, on: backend, threads: threads)
  }

  /// Elements of the samples' gradients that are formed at a time: 16 MB of `Float`.
  private static var most: Int { 1 << 22 }

  /// Gradients of samples with several positions, or of convolutions, are formed, some at a time.
  private func setSquaresOfFormed(
    _ moments: inout Matrix<S>, _ capture: LayerCapture<S>, _ parameters: LayerParameters,
    _ backend: any Backend, _ threads: Int
  ) {
    let (rows, columns) = (moments.rows, moments.columns)
    let α = scale(capture)
    let chunk = max(1, Self.most / max(1, rows * columns))
    for first in stride(from: 0, to: capture.sampleCount, by: chunk) {
      let some = capture.samples(first..<min(capture.sampleCount, first + chunk))
      let count = some.sampleCount
      var V = Matrix<S>(rows: count * rows, columns: columns)
      if parameters.contains(.weight) {
        V[rows: 0..., columns: 0..<some.weightColumns] = some.formedGradients(
          of: .weight, on: backend, threads: threads
        ).reshaped(rows: count * rows, columns: some.weightColumns)
      }
      if parameters.contains(.bias) {
        V[rows: 0..., columns: columns - 1..<columns] = some.formedGradients(
          of: .bias, on: backend, threads: threads
        ).reshaped(rows: count * rows, columns: 1)
      }
      let turned = V.multiplied(by: basis.right, on: backend, threads: threads)
      var all = MatrixStack<S>(count: count, rows: rows, columns: columns)
      gemm(
        MatrixStack(repeating: basis.left.transposed, count: count),
        MatrixStack(splitting: turned, count: count),
        into: &all, on: backend, threads: threads)
      addSquares(of: all.stacked, count: count, α, isFirst: first == 0, to: &moments)
    }
  }

  /// moments ← moments + α·(the sum of the squares of `count` matrices that lie one below the other).
  private func addSquares(
    of all: Matrix<S>, count: Int, _ α: S, isFirst: Bool, to moments: inout Matrix<S>
  ) {
    let size = moments.count
    all.withSpan { all in
      moments.withMutableSpan { moments in
        if isFirst { for i in 0..<size { moments[i] = 0 } }
        for n in 0..<count {
          for i in 0..<size { moments[i] += α * (all[n * size + i] * all[n * size + i]) }
        }
      }
    }
  }

  private func square(_ x: inout Matrix<S>) {
    x.withMutableSpan { x in for i in x.indices { x[i] *= x[i] } }
  }

  /// From squares in the scale of the backward pass to the mean over the terms of the loss.
  private func scale(_ capture: LayerCapture<S>) -> S {
    let toSum = capture.outputGradients.scaleToSum
    return S(toSum * toSum / capture.meanTerms)
  }
}
