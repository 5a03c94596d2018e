import FisherCommandLine
import FisherKit
import FisherRuntime

extension Cell {
  /// Takes the run, from its first step to its budget; with seed 0 to its target.
  ///
  /// - Parameters:
  ///   - threads: the most to use; the bits do not depend on it.
  ///   - check: is asked now and then; what it throws ends the run.
  /// - Throws: `UsageError` or `SettingsError` for names and settings that do not exist. A step that is refused, and a
  ///   network that the method cannot train, are part of the outcome.
  package func run(threads: Int, check: () throws -> Void = {}) throws -> Outcome {
    let workload = try Workload.named(workload)
    let optimizer = try Method(method).optimizer(settings)
    switch workload.element {
    case .f32: return try run(workload, Float.self, optimizer, threads, check)
    case .f64: return try run(workload, Double.self, optimizer, threads, check)
    }
  }

  private func run<S: KernelScalar>(
    _ workload: Workload, _: S.Type, _ optimizer: any Optimizer, _ threads: Int, _ check: () throws -> Void
  ) throws -> Outcome {
    var outcome = Outcome()
    let trainer: Trainer<S>
    do {
      trainer = try workload.trainer(S.self, optimizer, seed: UInt64(seed), threads: threads)
    } catch let refusal as TrainingError {
      outcome.stopped = refusal.description
      return outcome
    }
    let clock = ContinuousClock()
    let start = clock.now
    for step in 0...workload.budget {
      if step > 0 {
        do throws(StepRefusal) { try trainer.step() } catch {
          outcome.stopped = "step \(step): \(error)"
          break
        }
      }
      if step % workload.interval > 0 { continue }
      try check()
      let test = try trainer.evaluate()
      outcome.curve.append(step: step, loss: test.loss, accuracy: test.accuracy)
      if isTuning && test.loss <= workload.target { break }
      if !test.loss.isFinite {
        outcome.stopped = "the loss after step \(step) is \(shortest(test.loss))"
        break
      }
    }
    outcome.weights = trainer.parametersHash
    outcome.seconds = Double(clock.now - start)
    return outcome
  }
}

extension Double {
  /// Seconds.
  init(_ duration: Duration) {
    self = Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }
}
