import FisherOptimizers
import Foundation

/// The end of an epoch, for people and logs.
public struct EpochReport: Sendable, Equatable {
  /// From 1.
  public let epoch: Int
  /// Steps since the beginning of the run.
  public let step: Int
  /// The mean over the epoch, each batch at its own weights.
  public let trainLoss: Double
  public let test: Evaluation
  /// Of training, since the beginning of the run.
  public let seconds: Double
}

/// What came out of a run.
public struct TrainingResult: Sendable, Equatable {
  /// Nil if the data have no classes.
  public let bestTestAccuracy: Double?
  public let bestTestLoss: Double
  public let finalTrainLoss: Double
  /// Of the last epoch. A run whose weights are finite may still test so badly that this is not.
  public let finalTestLoss: Double
  /// Of training, since the beginning of the run.
  public let seconds: Double
  /// A hash of the bits of all weights.
  public let parametersHash: String
  /// The patience ended before the epochs.
  public let stoppedEarly: Bool
  /// What the numerics decided, counted: `inverses kept`.
  public let events: [String: Int]
}

/// What a run tells while it goes.
public enum TrainingEvent: Sendable {
  /// A step was taken: complete steps of the epoch, and the steps of an epoch.
  case step(Int, of: Int, loss: Double)
  case epoch(EpochReport)
}

extension Trainer {
  /// Whether all epochs are complete, or the patience or the time is at an end.
  public var isFinished: Bool { progress.epoch >= options.epochs || hasStoppedEarly || isOutOfTime }

  private var isOutOfTime: Bool {
    options.seconds.map { progress.batch == 0 && progress.seconds >= $0 } ?? false
  }

  private var hasStoppedEarly: Bool { options.patience.map { progress.epochsSinceBest >= $0 } ?? false }

  /// Goes on to the end of the run.
  ///
  /// - Parameter observe: is called after every step and every epoch, when weights, state and progress belong together:
  ///   the place to write a checkpoint. What it throws ends the run.
  /// - Throws: `StepRefusal`; then weights and state are those of the last step that was taken.
  @discardableResult
  public func run(_ observe: (TrainingEvent) throws -> Void = { _ in }) throws -> TrainingResult {
    while !isFinished {
      let epoch = progress.epoch
      try step()
      if progress.epoch > epoch, let report = lastEpoch {
        try observe(.epoch(report))
      } else {
        try observe(.step(progress.batch, of: stepsPerEpoch, loss: progress.lossSum / progress.lossTerms))
      }
    }
    return TrainingResult(
      bestTestAccuracy: progress.bestTestAccuracy, bestTestLoss: progress.bestTestLoss,
      finalTrainLoss: progress.trainLoss ?? .nan, finalTestLoss: progress.testLoss ?? .nan,
      seconds: progress.seconds, parametersHash: parametersHash,
      stoppedEarly: hasStoppedEarly && progress.epoch < options.epochs, events: progress.events)
  }

  /// Tests the weights and begins a new epoch.
  ///
  /// - Throws: `StepRefusal` if the ranks cannot go on.
  func endEpoch() throws(StepRefusal) {
    let test = try evaluateTogether()
    progress.seconds = try ofFirstRank(progress.seconds)
    progress.endEpoch(test)
    lastEpoch = EpochReport(
      epoch: progress.epoch, step: driver.stepCount, trainLoss: progress.trainLoss ?? .nan, test: test,
      seconds: progress.seconds)
  }

  /// Seconds of a clock that only goes forward.
  static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
