import FisherLinearAlgebra
import FisherNetworks
import FisherRuntime

extension Trainer {
  /// Loss and accuracy on the test data, at ``testedValues``. Weights, state and progress stay.
  public func evaluate() -> Evaluation { evaluate(test) }

  /// Loss and accuracy on other data, normalised as the training data are.
  ///
  /// - Precondition: they have the shape and the targets of the training data.
  public func evaluate(on data: Dataset) -> Evaluation {
    let train = training.data
    require(
      data.count >= 1 && data.shape == train.shape && data.outputCount == train.outputCount
        && data.classCount == train.classCount,
      "Trainer: \(data.count) examples of \(data.shape) with \(data.outputCount) numbers wanted, for a network of "
        + "\(train.shape) to \(train.outputCount)")
    return evaluate(
      BatchSource(
        data, batchSize: test.batchSize, normalization: test.normalization,
        targetNormalization: test.targetNormalization))
  }

  private func evaluate(_ test: BatchSource) -> Evaluation {
    let values = testedValues
    var (lossSum, terms, right) = (0.0, 0, 0)
    for i in 0..<test.batchCount {
      let batch = test.batch(i, as: Scalar.self)
      let loss = workspace.forward(values, batch.inputs, batch.labels, mode: .evaluation)
      lossSum += loss * workspace.scaleToMean * Double(workspace.termCount)
      terms += workspace.termCount
      if !batch.classes.isEmpty {
        let rows = workspace.outputs.reshaped(rows: batch.classes.count, columns: network.output.features)
        right += Self.rightAnswers(rows, batch.classes)
      }
      workspace.releaseBatch()
    }
    let isClassified = test.data.classCount != nil
    return Evaluation(
      loss: lossSum / Double(terms), accuracy: isClassified ? Double(right) / Double(terms) : nil)
  }

  /// The rows whose largest element, the first of several, is in the column of the class. NaN is never the largest.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  static func rightAnswers(_ outputs: Matrix<Scalar>, _ classes: [Int]) -> Int {
    var right = 0
    for (i, label) in classes.enumerated() {
      var best = -1
      for j in 0..<outputs.columns where best < 0 ? !outputs[i, j].isNaN : outputs[i, j] > outputs[i, best] {
        best = j
      }
      if best == label && label >= 0 { right += 1 }
    }
    return right
  }
}

extension Batch {
  /// What the loss compares the outputs with.
  var labels: Labels<Scalar> { classes.isEmpty ? .values(values ?? inputs) : .classes(classes) }

  /// Some of the samples.
  func samples(_ range: Range<Int>) -> Batch {
    if range.count == inputs.rows { return self }
    let answers = classes.count / inputs.rows
    return Batch(
      inputs: inputs[rows: range, columns: 0...],
      classes: Array(classes[range.lowerBound * answers..<range.upperBound * answers]),
      values: values?[rows: range, columns: 0...].compacted())
  }
}
