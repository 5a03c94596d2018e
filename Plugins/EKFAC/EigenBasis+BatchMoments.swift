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
    var turned: TurnedFactors?
    if let capture, isProduct(capture) {
      // Their memory is that of other matrices of the step.
      turned = turnedFactors(capture, layer.parameters, backend, threads) {
        step.temporary(rows: $0, columns: $1, $2)
      }
    }
    return step.temporary(rows: layer.outputs, columns: layer.inputs) { moments in
      setBatchMoments(&moments, capture, layer.parameters, turned, on: backend, threads: threads)
    }
  }

  /// U_Aᵀ·h and U_Gᵀ·d of all samples, squared.
  package typealias TurnedFactors = (inputs: Matrix<S>, outputs: Matrix<S>)

  /// The same, written in full to memory of the caller.
  ///
  /// - Parameter turned: those of the capture if they are known.
  package func setBatchMoments(
    _ moments: inout Matrix<S>, _ capture: LayerCapture<S>?, _ parameters: LayerParameters,
    _ turned: TurnedFactors? = nil, on backend: any Backend, threads: Int
  ) {
    guard let capture, capture.hasFactors else { return scal(alpha: 0, &moments, on: backend) }
    if isProduct(capture) {
      let (inputs, outputs) =
        turned
        ?? turnedFactors(capture, parameters, backend, threads) { rows, columns, write in
          var matrix = Matrix<S>(rows: rows, columns: columns)
          write(&matrix)
          return matrix
        }
      gemm(
        alpha: scale(capture), outputs.transposed, inputs, into: &moments, on: backend, threads: threads)
    } else {
      setSquaresOfFormed(&moments, capture, parameters, backend, threads)
    }
    shareNullMoments(&moments, threads)
  }

  /// (U_Gᵀ·d·hᵀ·U_A)² is the product of the squares of U_Gᵀ·d and of U_Aᵀ·h: one product for all samples.
  private func isProduct(_ capture: LayerCapture<S>) -> Bool {
    guard capture.hasFactors, case .linear = capture.kind else { return false }
    return capture.positions == 1
  }

  /// - Parameter make: makes a matrix of so many rows and columns, all of which is written.
  private func turnedFactors(
    _ capture: LayerCapture<S>, _ parameters: LayerParameters, _ backend: any Backend, _ threads: Int,
    _ make: (_ rows: Int, _ columns: Int, _ write: (inout Matrix<S>) -> Void) -> Matrix<S>
  ) -> TurnedFactors {
    let (D, H) = (capture.outputGradients.values, capture.inputs)
    let n = parameters.contains(.weight) ? H.columns : 0
    let inputs = make(H.rows, basis.right.rows) { inputs in
      // The 1 of the bias adds its row of U_A.
      gemm(
        H[rows: 0..., columns: 0..<n], basis.right[rows: 0..<n, columns: 0...], into: &inputs,
        bias: parameters.contains(.bias) ? basis.right.row(n) : nil, on: backend, threads: threads)
      inputs.replace(by: Hadamard(), threads: threads)
    }
    let outputs = make(D.rows, D.columns) { outputs in
      gemm(D, basis.left, into: &outputs, on: backend, threads: threads)
      outputs.replace(by: Hadamard(), threads: threads)
    }
    return (inputs, outputs)
  }

  /// Gradients of samples with several positions, or of convolutions, are formed, some at a time.
  private func setSquaresOfFormed(
    _ moments: inout Matrix<S>, _ capture: LayerCapture<S>, _ parameters: LayerParameters,
    _ backend: any Backend, _ threads: Int
  ) {
    let (rows, columns) = (moments.rows, moments.columns)
    let sum = ScaledSquareSum(α: scale(capture))
    scal(alpha: 0, &moments, on: backend)
    capture.forEachFormed(of: parameters, rows: rows, columns: columns, on: backend, threads: threads) {
      V, samples in
      let turned = V.multiplied(by: basis.right, on: backend, threads: threads)
      var all = MatrixStack<S>(count: samples.count, rows: rows, columns: columns)
      gemm(
        MatrixStack(repeating: basis.left.transposed, count: samples.count),
        MatrixStack(splitting: turned, count: samples.count),
        into: &all, on: backend, threads: threads)
      moments.fold(sum, over: all.stacked, threads: threads)
    }
  }

  /// From squares in the scale of the backward pass to the mean over the terms of the loss.
  private func scale(_ capture: LayerCapture<S>) -> S {
    let toSum = capture.outputGradients.scaleToSum
    return S(toSum * toSum / capture.meanTerms)
  }
}

/// z + α·x²
private struct ScaledSquareSum<Scalar: KernelScalar>: PairFunction {
  let α: Scalar

  @inline(__always)
  func value(_ x: Lanes<Scalar>, _ z: Lanes<Scalar>) -> Lanes<Scalar> { z + α * (x * x) }
}
