import FisherLinearAlgebra
import FisherRuntime

extension LayerCapture {
  /// The capture of a table that is looked up as an embedding and multiplied with as a weight: that of one linear layer.
  ///
  /// A looked-up row t adds the output gradient g to row t of the table's gradient: the product of the unit vector eₜ and g,
  /// as of a linear layer with the inputs g and the output gradients eₜ. So every sample has its rows of both uses, and the
  /// gradient of a sample is one sum of products again, cross terms of both in its Gram matrix included.
  ///
  /// Rows × tokens numbers.
  ///
  /// - Parameters:
  ///   - lookup: of the embedding; its inputs are tokens.
  ///   - product: of the linear layer without bias, from the same backward pass.
  public init(lookup: LayerCapture, product: LayerCapture) {
    let (n, t, u) = (lookup.sampleCount, lookup.positions, product.positions)
    let (δ, gradients) = (product.outputGradients.values, lookup.outputGradients.values)
    let (width, tokens) = (product.inputs.columns, δ.columns)
    require(
      product.sampleCount == n && lookup.inputs.columns == 1 && gradients.columns == width,
      "LayerCapture: a table of \(tokens)×\(width) looked up for \(n) samples of \(gradients.columns) features, "
        + "multiplied for \(product.sampleCount)")
    let scale = lookup.outputGradients.scaleToSum
    var inputs = Matrix<Scalar>(rows: n * (t + u), columns: width)
    var outputs = Matrix<Scalar>(rows: n * (t + u), columns: tokens)
    for sample in 0..<n {
      let first = sample * (t + u)
      for i in 0..<t {
        let row = sample * t + i
        // The factor of the sum is in the product once.
        outputs[first + i, Int(lookup.inputs[row, 0])] = Scalar(1 / scale)
        for j in 0..<width { inputs[first + i, j] = Scalar(scale) * gradients[row, j] }
      }
      let (rows, target) = (sample * u..<(sample + 1) * u, first + t..<first + t + u)
      inputs[rows: target, columns: 0...] = product.inputs[rows: rows, columns: 0...]
      outputs[rows: target, columns: 0...] = δ[rows: rows, columns: 0...]
    }
    self.init(
      kind: .linear(hasBias: false), inputs: inputs,
      outputGradients: OutputGradients(
        values: outputs, scaleToSum: scale, scaleToMean: product.outputGradients.scaleToMean),
      sampleCount: n)
  }
}
