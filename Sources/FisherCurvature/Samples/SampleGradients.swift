import FisherLinearAlgebra

/// The gradients of every sample's loss by one parameter of a layer: as the factors that they are products of, or, where
/// those are no shorter, row by row. Still in the scale of the backward pass.
enum SampleGradients<S: KernelScalar> {
  /// Σₜ G[n, t]·A[n, t]ᵀ with `positions` rows of both matrices a sample.
  case products(inputs: Matrix<S>, outputs: Matrix<S>, positions: Int)
  /// Σₜ over the rows with the token's number of G[n, t].
  case lookups(tokens: [Int], outputs: Matrix<S>, positions: Int)
  /// One row a sample.
  case rows(Matrix<S>)
}

extension LayerCapture {
  /// The gradients by the weight, or by the scale γ.
  func weightGradients(threads: Int) -> SampleGradients<Scalar> {
    let gradients = outputGradients.values
    switch kind {
    case .linear: return .products(inputs: inputs, outputs: gradients, positions: positions)
    case .embedding:
      return .lookups(tokens: inputs.array.map { Int($0) }, outputs: gradients, positions: positions)
    case .convolution(let shape, _): return .rows(convolutionRows(shape, threads: threads))
    case .layerNorm, .batchNorm:
      guard let normalized else {
        fatalError("LayerCapture: the gradients by a normalisation's scale need its normalised inputs")
      }
      return .rows(summed(Self.product(gradients, normalized)))
    }
  }

  /// The gradients by the bias, or by the shift β: Σₜ G[n, t].
  func biasGradients() -> Matrix<Scalar> { summed(outputGradients.values) }

  /// Gₙ·Aₙ for the patches Aₙ of each sample, one gradient a row.
  private func convolutionRows(_ shape: ConvolutionGeometry, threads: Int) -> Matrix<Scalar> {
    let count = sampleCount * shape.groups
    let patches = MatrixStack(splitting: shape.unfolded(inputs, threads: threads), count: count)
    let gradients = outputGradients.values.reshaped(
      rows: sampleCount * shape.outputs, columns: shape.positions)
    var rows = MatrixStack<Scalar>(count: count, rows: shape.outputs / shape.groups, columns: shape.patchSize)
    gemm(MatrixStack(splitting: gradients, count: count), patches, into: &rows, threads: threads)
    return rows.stacked.reshaped(rows: sampleCount, columns: shape.outputs * shape.patchSize)
  }

  /// Adds what belongs to one parameter of a sample: its rows, or the positions that lie within a row.
  private func summed(_ values: Matrix<Scalar>) -> Matrix<Scalar> {
    switch kind {
    case .convolution(let shape, _): return rowSums(values, each: shape.positions)
    case .batchNorm(_, let area): return rowSums(values, each: area)
    case .linear, .layerNorm, .embedding: return positions == 1 ? values : positionSums(values)
    }
  }

  /// Sums of `each` neighbours in every row.
  private func rowSums(_ values: Matrix<Scalar>, each: Int) -> Matrix<Scalar> {
    let channels = values.columns / each
    return values.reshaped(rows: sampleCount * channels, columns: each)
      .multiplied(by: Matrix(repeating: 1, rows: each, columns: 1))
      .reshaped(rows: sampleCount, columns: channels)
  }

  /// Sums of the rows of every sample.
  private func positionSums(_ values: Matrix<Scalar>) -> Matrix<Scalar> {
    let ones = MatrixStack(
      repeating: Matrix<Scalar>(repeating: 1, rows: 1, columns: positions), count: sampleCount)
    var sums = MatrixStack<Scalar>(count: sampleCount, rows: 1, columns: values.columns)
    gemm(ones, MatrixStack(splitting: values, count: sampleCount), into: &sums)
    return sums.stacked
  }

  private static func product(_ a: Matrix<Scalar>, _ b: Matrix<Scalar>) -> Matrix<Scalar> {
    let (x, y) = (a.array, b.array)
    return Matrix(x.indices.map { x[$0] * y[$0] }, rows: a.rows, columns: a.columns)
  }
}
