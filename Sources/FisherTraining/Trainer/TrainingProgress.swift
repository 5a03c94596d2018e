/// Where a run is: together with weights and state, all that it needs to go on with the same bits.
public struct TrainingProgress: Sendable, Equatable {
  /// Complete epochs.
  public internal(set) var epoch = 0
  /// Complete steps of the epoch that runs.
  public internal(set) var batch = 0
  /// Σ loss × terms over the steps of this epoch, and Σ terms.
  package var lossSum = 0.0
  var lossTerms = 0.0
  /// Of the last complete epoch; nil before it.
  public internal(set) var trainLoss: Double?
  /// Of the test after the last complete epoch; nil before it.
  public internal(set) var testLoss: Double?
  /// The best so far; nil if the data have no classes or no epoch is complete.
  public internal(set) var bestTestAccuracy: Double?
  /// The least so far.
  public internal(set) var bestTestLoss = Double.infinity
  /// Epochs since the test was better than ever before.
  public internal(set) var epochsSinceBest = 0
  /// Seconds of training, also of earlier processes.
  public internal(set) var seconds = 0.0
  /// What the numerics decided, counted: `refresh skipped`.
  public internal(set) var events: [String: Int] = [:]

  mutating func add(loss: Double, terms: Int) {
    lossSum += loss * Double(terms)
    lossTerms += Double(terms)
    batch += 1
  }

  /// Ends an epoch.
  mutating func endEpoch(_ test: Evaluation) {
    trainLoss = lossSum / lossTerms
    testLoss = test.loss
    (lossSum, lossTerms, batch) = (0, 0, 0)
    epoch += 1
    let isBetter: Bool
    if let accuracy = test.accuracy {
      isBetter = accuracy > (bestTestAccuracy ?? -1)
      bestTestAccuracy = max(accuracy, bestTestAccuracy ?? 0)
    } else {
      isBetter = test.loss < bestTestLoss
    }
    bestTestLoss = min(bestTestLoss, test.loss)
    epochsSinceBest = isBetter ? 0 : epochsSinceBest + 1
  }
}

/// What a test says.
public struct Evaluation: Sendable, Equatable {
  /// The mean over all samples.
  public let loss: Double
  /// The fraction of right answers; nil if the data have no classes.
  public let accuracy: Double?
}
