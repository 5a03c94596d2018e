import FisherLinearAlgebra
import FisherNetworks

extension Trainer {
  /// Loss and accuracy on the test data, at ``testedValues``. Weights, state and progress stay.
  public func evaluate() -> Evaluation {
    let values = testedValues
    var (lossSum, terms, right) = (0.0, 0, 0)
    for i in 0..<test.batchCount {
      let batch = test.batch(i, as: Scalar.self)
      let loss = workspace.forward(values, batch.inputs, batch.labels, mode: .evaluation)
      lossSum += loss * workspace.scaleToMean * Double(workspace.termCount)
      terms += workspace.termCount
      right += Self.rightAnswers(workspace.outputs, batch.classes)
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
      if best == label { right += 1 }
    }
    return right
  }
}

extension Batch {
  /// What the loss compares the outputs with.
  var labels: Labels<Scalar> { classes.isEmpty ? .values(inputs) : .classes(classes) }

  /// Some of the samples.
  func samples(_ range: Range<Int>) -> Batch {
    if range.count == inputs.rows { return self }
    return Batch(
      inputs: inputs[rows: range, columns: 0...], classes: classes.isEmpty ? [] : Array(classes[range]))
  }
}
