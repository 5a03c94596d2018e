import FisherKit
import Synchronization

/// A placebo: an optimizer whose steps are those of another one that was shown something else, or that lends only the
/// length of its step.
///
/// The other one runs in a driver of its own, beside the run's. Its memory is here and not in the run's state: a
/// comparison takes a run in one piece.
struct Shadowed<Base: Optimizer>: Optimizer {
  static var record: OptimizerRecord {
    let base = Base.record
    return OptimizerRecord(
      name: base.name, title: base.title + ", a placebo", summary: base.summary, paper: base.paper,
      needs: base.needs.union(.gradients), hyperparameters: base.hyperparameters, invariances: [],
      cost: base.cost, stateSize: base.stateSize, clipping: base.clipping,
      dependsOnStepNumber: base.dependsOnStepNumber)
  }

  let base: Base
  let placebo: Placebo
  /// The `OptimizerDriver` of the element type at hand.
  private let driver = ShadowDriver()

  init(_ base: Base, _ placebo: Placebo) {
    self.base = base
    self.placebo = placebo
  }

  init() { self.init(Base(), .norm) }

  init(settings: Settings) { self.init(Base(settings: settings), .norm) }

  var settings: Settings { base.settings }

  func needs(step number: Int) -> Needs { base.needs(step: number).union(.gradients) }

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let values = step.parameters.map(step.value)
    let gradients = step.parameters.map(step.gradient)
    var moved = values
    let report = try driver.step(
      base, step.parameters, &moved, gradients, placebo.shown(step.objective, step: step.number),
      threads: step.threads)
    for (event, count) in report.events { step.count(event, count) }
    for (parameter, value) in zip(step.parameters, placebo.taken(moved, from: values, gradients)) {
      step.replace(parameter, by: value)
    }
  }

  func reference() -> any ReferenceOptimizer { base.reference() }
}

extension Optimizer {
  package func shadowed(by placebo: Placebo) -> any Optimizer { Shadowed(self, placebo) }
}

/// The driver of the optimizer in the shadow, from the first step on.
private final class ShadowDriver: Sendable {
  private let driver = Mutex<(any Sendable)?>(nil)

  func step<S: KernelScalar>(
    _ optimizer: any Optimizer, _ parameters: [ParameterInfo], _ values: inout [Matrix<S>],
    _ gradients: [Matrix<S>], _ objective: any Objective<S>, threads: Int
  ) throws(StepRefusal) -> StepReport {
    var own: OptimizerDriver<S>
    if let known = driver.withLock({ $0 }) as? OptimizerDriver<S> {
      own = known
    } else {
      do {
        own = try OptimizerDriver(optimizer, parameters: parameters, registry: .installed, threads: threads)
      } catch {
        throw .failed(optimizer: type(of: optimizer).record.name, place: "placebo", reason: "\(error)")
      }
    }
    var gradients = gradients
    let report = try own.step(values: &values, gradients: &gradients, objective: objective)
    let next = own
    driver.withLock { $0 = next }
    return report
  }
}
