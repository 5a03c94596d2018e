// What the learning rate is multiplied with, beside the schedule of the run. The factors are those of `Schedule`.

public import FisherLinearAlgebra
public import FisherOptimizers

/// The learning rate grows along a line, from 1/W of it in the first step to all of it in step W.
public struct WarmUp: OptimizerPart {
  public static let record = PartRecord(
    name: "warm-up", title: "warm-up", summary: "The learning rate grows at first.",
    paper: "Goyal et al. 2017",
    place: .before, cost: Cost([]), probes: [["steps": 7], ["steps": 0]],
    keeps: PartRecord.Kept(decay: [.coupled], response: .lost), dependsOnStepNumber: true)

  @Setting("W: steps in which the learning rate grows", .atLeast(0), source: "ours") public var steps = 100

  public init() {}

  public init(steps: Int) { self.steps = steps }

  /// The factor in step t, counted from 1.
  func factor(_ t: Int) -> Double { Schedule.warmUp(steps: steps, then: .constant).factor(step: t - 1) }

  public func plan<S: KernelScalar>(
    _ step: inout Step<S>, around method: WrappedMethod<S>
  ) throws(StepRefusal) {
    step.scaleSchedule(by: factor(step.number))
    try method.plan(&step)
  }

  public func reference(around method: any ReferenceOptimizer, lr: Double) -> any ReferenceOptimizer {
    NaiveSchedule(method: method) { [steps] t in t < steps ? Double(t) / Double(steps) : 1 }
  }
}

/// The learning rate falls along half a cosine or a line, from 1 to `end` in a number of steps.
public struct ScheduledRate: OptimizerPart {
  /// The curve.
  public enum Shape: String, SettingChoice { case constant, cosine, linear }

  public static let record = PartRecord(
    name: "schedule", title: "schedule", summary: "The learning rate falls along a curve.",
    paper: "Loshchilov & Hutter 2017", place: .before, cost: Cost([]),
    probes: [
      ["shape": "cosine", "steps": 9, "end": 0.1], ["shape": "linear", "steps": 9], ["shape": "constant"],
    ],
    keeps: PartRecord.Kept(decay: [.coupled], response: .lost), dependsOnStepNumber: true)

  @Setting("the curve", source: "ours") public var shape = Shape.constant
  @Setting("steps until the end", .atLeast(0), source: "ours") public var steps = 1000
  @Setting("what is left at the end", .closed(0, 1), source: "ours") public var end = 0.0

  public init() {}

  public init(_ shape: Shape, steps: Int, end: Double = 0) {
    self.shape = shape
    self.steps = steps
    self.end = end
  }

  public func plan<S: KernelScalar>(
    _ step: inout Step<S>, around method: WrappedMethod<S>
  ) throws(StepRefusal) {
    let schedule: Schedule =
      switch shape {
      case .constant: .constant
      case .cosine: .cosine(steps: steps, end: end)
      case .linear: .linear(steps: steps, end: end)
      }
    step.scaleSchedule(by: schedule.factor(step: step.number - 1))
    try method.plan(&step)
  }

  public func reference(around method: any ReferenceOptimizer, lr: Double) -> any ReferenceOptimizer {
    NaiveSchedule(method: method) { [shape, steps, end] t in
      let progress = min(1, Double(t - 1) / Double(steps))
      switch shape {
      case .constant: return 1
      case .linear: return (1 - progress) + end * progress
      case .cosine: return end + (1 - end) * naiveSquaredCosine(.pi / 2 * progress)
      }
    }
  }
}
