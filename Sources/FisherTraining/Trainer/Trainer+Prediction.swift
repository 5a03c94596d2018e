public import FisherLinearAlgebra
import FisherNetworks
import FisherRuntime

extension Trainer {
  /// What the network says to examples, at ``testedValues``: logits of classes, or numbers in the units of the data.
  ///
  /// - Parameter rows: examples as the data have them; they are normalised as the training data are.
  /// - Returns: a row an example.
  /// - Precondition: every row has as many numbers as an example of the data.
  public func predict(_ rows: [[Float]]) -> Matrix<Scalar> {
    let train = training.data
    require(
      rows.allSatisfy { $0.count == train.shape.count },
      "Trainer: examples of \(rows.map(\.count).max() ?? 0) numbers for a network of \(train.shape)")
    let examples = Dataset(
      name: "examples", shape: train.shape, storage: .floats(rows.flatMap(\.self)), targets: .inputs)
    let source = BatchSource(examples, batchSize: max(1, rows.count), normalization: test.normalization)
    let places = Array(rows.indices)
    return outputs(for: source.batch(of: places, augmenting: nil, keys: places))
  }

  /// What the network says to the examples of a data set, a row each.
  ///
  /// - Throws: ``FileError`` if they lie in a file that cannot be read, or has changed since it was opened.
  public func predict(_ data: Dataset) throws(FileError) -> Matrix<Scalar> {
    require(
      data.shape == training.data.shape,
      "Trainer: examples of \(data.shape) for a network of \(training.data.shape)")
    let source = BatchSource(data, batchSize: max(1, data.count), normalization: test.normalization)
    return outputs(for: try source.batch(Array(0..<data.count), augmenting: nil))
  }

  /// The network's outputs in the units of the data.
  private func outputs(for batch: Batch<Scalar>) -> Matrix<Scalar> {
    var outputs = network.predict(
      batch.inputs, with: testedValues, statistics: statistics, batch: test.batchSize, on: workspace.backend,
      threads: options.threads)
    if let normalization = test.targetNormalization {
      for i in 0..<outputs.rows {
        for j in 0..<outputs.columns {
          outputs[i, j] = Scalar(normalization.inverse(Double(outputs[i, j]), j))
        }
      }
    }
    return outputs
  }
}
