import FisherDistributed
import FisherLinearAlgebra
import FisherNetworks
import FisherOptimizers
import FisherRuntime

extension Trainer {
  /// Loss and accuracy on the test data, at ``testedValues``. Weights, state and progress stay.
  ///
  /// - Throws: ``FileError`` if they lie in a file that cannot be read, or has changed since it was opened.
  public func evaluate() throws(FileError) -> Evaluation { try evaluate(test) }

  /// Loss and accuracy on other data, normalised as the training data are.
  ///
  /// - Precondition: they have the shape and the targets of the training data.
  /// - Throws: ``FileError`` like ``evaluate()``.
  public func evaluate(on data: Dataset) throws(FileError) -> Evaluation {
    let train = training.data
    require(
      data.count >= 1 && data.shape == train.shape && data.outputCount == train.outputCount
        && data.classCount == train.classCount,
      "Trainer: \(data.count) examples of \(data.shape) with \(data.outputCount) numbers wanted, for a network of "
        + "\(train.shape) to \(train.outputCount)")
    return try evaluate(
      BatchSource(
        data, batchSize: test.batchSize, normalization: test.normalization,
        targetNormalization: test.targetNormalization))
  }

  private func evaluate(_ test: BatchSource) throws(FileError) -> Evaluation {
    let values = testedValues
    var scores: [Score] = []
    for i in 0..<test.batchCount { scores.append(try score(i, of: test, values)) }
    return evaluation(scores, test)
  }

  /// Loss and accuracy on the test data, whose batches the ranks share out; the same bits as ``evaluate()``.
  ///
  /// - Throws: `StepRefusal` if the ranks cannot go on, or the data cannot be read.
  func evaluateTogether() throws(StepRefusal) -> Evaluation {
    if communicator.size == 1 {
      do { return try evaluate() } catch { throw StepRefusal(error) }
    }
    let values = testedValues
    // The others' places hold zeros, which change no sum.
    var numbers = [Double](repeating: 0, count: 3 * test.batchCount)
    for i in stride(from: communicator.rank, to: test.batchCount, by: communicator.size) {
      let score: Score
      do { score = try self.score(i, of: test, values) } catch { throw StepRefusal(error) }
      numbers.replaceSubrange(
        3 * i..<3 * i + 3, with: [score.loss, Double(score.terms), Double(score.right)])
    }
    do { try communicator.allReduce(&numbers) } catch { throw StepRefusal(error) }
    return evaluation(
      (0..<test.batchCount).map { (numbers[3 * $0], Int(numbers[3 * $0 + 1]), Int(numbers[3 * $0 + 2])) },
      test)
  }

  /// Of one batch: the sum of its losses, its terms, and the right answers among them.
  private typealias Score = (loss: Double, terms: Int, right: Int)

  private func evaluation(_ scores: [Score], _ test: BatchSource) -> Evaluation {
    let loss = scores.reduce(0) { $0 + $1.loss }
    let terms = scores.reduce(0) { $0 + $1.terms }
    let right = scores.reduce(0) { $0 + $1.right }
    let isClassified = test.data.classCount != nil
    return Evaluation(
      loss: loss / Double(terms), accuracy: isClassified ? Double(right) / Double(terms) : nil)
  }

  private func score(
    _ number: Int, of test: BatchSource, _ values: [Matrix<Scalar>]
  ) throws(FileError) -> Score {
    let batch = try test.batch(number, as: Scalar.self)
    defer { workspace.releaseBatch() }
    let loss = workspace.forward(values, batch.inputs, batch.labels, mode: .evaluation)
    let terms = workspace.termCount
    var right = 0
    if !batch.classes.isEmpty {
      let rows = workspace.outputs.reshaped(rows: batch.classes.count, columns: network.output.features)
      right = Self.rightAnswers(rows, batch.classes)
    }
    return (loss * workspace.scaleToMean * Double(terms), terms, right)
  }

  /// The rows whose largest element, the first of several, is in the column of the class. NaN is never the largest.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  package static func rightAnswers(_ outputs: Matrix<Scalar>, _ classes: [Int]) -> Int {
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
  package var labels: Labels<Scalar> { classes.isEmpty ? .values(values ?? inputs) : .classes(classes) }

  /// Some of the samples.
  package func samples(_ range: Range<Int>) -> Batch {
    if range.count == inputs.rows { return self }
    let answers = classes.count / inputs.rows
    return Batch(
      inputs: inputs[rows: range, columns: 0...],
      classes: Array(classes[range.lowerBound * answers..<range.upperBound * answers]),
      values: values?[rows: range, columns: 0...].compacted())
  }
}
