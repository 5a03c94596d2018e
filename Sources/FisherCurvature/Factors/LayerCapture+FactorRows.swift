package import FisherLinearAlgebra
import FisherRuntime

// The block of the Fisher matrix of the mean loss that belongs to a layer is Σₙ vₙ·vₙᵀ/M, where vₙ = Σₜ dₙₜ·hₙₜᵀ is the
// gradient of the loss of sample n and M the number of terms of the mean. Its Kronecker approximation A ⊗ G, with
//   A = Σ h·hᵀ/M,   G = mean of d·dᵀ,
// goes over rows h and d, which WeightSharing makes of the positions t. Without positions they are those of the samples.

extension LayerCapture {
  /// The layer multiplies what it sees by a weight: linear layers and convolutions.
  package var hasFactors: Bool {
    switch kind {
    case .linear, .convolution: return true
    case .batchNorm, .layerNorm, .embedding: return false
    }
  }

  /// h: what the weight sees, without the homogeneous 1 of the bias. One row a sample, position and group of a
  /// convolution; without the positions if they are reduced. Copies only where rows have to be made.
  package func factorInputs(_ sharing: WeightSharing, on backend: any Backend, threads: Int) -> Matrix<Scalar>
  {
    switch kind {
    case .linear:
      return sharing == .expand || positions == 1
        ? inputs : positionMeans(inputs, positions, backend, threads)
    case .convolution(let shape, _):
      let patches = shape.unfolded(inputs, threads: threads)
      return sharing == .expand ? patches : positionMeans(patches, shape.positions, backend, threads)
    case .batchNorm, .layerNorm, .embedding: fatalError("LayerCapture: \(kind) has no Kronecker factors")
    }
  }

  /// d: the output gradients in the scale of the backward pass, one row a sample and position, without the positions if
  /// they are reduced.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  package func factorOutputs(_ sharing: WeightSharing) -> Matrix<Scalar> {
    let gradients = outputGradients.values
    guard case .convolution(let shape, _) = kind else {
      return sharing == .expand || positions == 1 ? gradients : biasGradients()
    }
    if sharing == .reduce || shape.positions == 1 { return biasGradients() }
    // Channels × positions become positions × channels, sample by sample.
    let (count, width) = (shape.positions, shape.outputs)
    let source = gradients.compacted()
    var rows = Matrix<Scalar>(rows: sampleCount * count, columns: width)
    source.withPointer { source in
      rows.withMutablePointer(discarding: true) { rows in
        for n in 0..<sampleCount {
          let (from, to) = (source.base + n * count * width, rows.base + n * count * width)
          for o in 0..<width { for t in 0..<count { to[t * width + o] = from[o * count + t] } }
        }
      }
    }
    return rows
  }

  /// M: the terms of the mean loss.
  package var meanTerms: Double { outputGradients.scaleToSum / outputGradients.scaleToMean }

  /// The groups of a convolution, each of which sees its own rows; else 1.
  package var groups: Int {
    if case .convolution(let shape, _) = kind { return shape.groups }
    return 1
  }

  /// The means of `count` rows at a time.
  private func positionMeans(
    _ rows: Matrix<Scalar>, _ count: Int, _ backend: any Backend, _ threads: Int
  ) -> Matrix<Scalar> {
    // Rows of a convolution lie sample by sample, group by group.
    let means = rows.rows / count
    let weights = MatrixStack(
      repeating: Matrix<Scalar>(repeating: 1 / Scalar(count), rows: 1, columns: count), count: means)
    var result = MatrixStack<Scalar>(count: means, rows: 1, columns: rows.columns)
    gemm(
      weights, MatrixStack(splitting: rows.compacted(), count: means), into: &result, on: backend,
      threads: threads)
    return result.stacked
  }
}
