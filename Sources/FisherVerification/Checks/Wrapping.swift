import FisherLinearAlgebra
import FisherOptimizers

extension Check {
  /// What parts rely on: that a method's updates can be run before they are accepted.
  static let wrapping = Check(
    name: "wrapped-alone",
    meaning:
      "a part around the method that accepts what it proposes, and a schedule that is constant, change no bit"
  ) { subject in
    let trace = subject.trace(seed: seed, steps: 5)
    let alone = try subject.run(trace, Float.self, subject.probe)
    let wrapped = Subject(try Unchanged.around(subject.type), mutation: subject.mutation)
    try demand(
      try wrapped.run(trace, Float.self, subject.probe) == alone, "a part that changes nothing changes bits")
    let constant = Schedule.step(every: 2, factor: 1)
    try demand(
      try subject.run(trace, Float.self, subject.probe, schedule: constant) == alone,
      "a schedule that is constant changes bits")
    return "5 steps"
  }
}

/// A part that accepts whatever the method proposes.
private struct Unchanged: OptimizerPart {
  static let record = PartRecord(
    name: "unchanged", title: "nothing", summary: "Nothing is changed.", paper: "none", place: .beside,
    cost: Cost([Cost.Part(.parameter, flops: 0, elements: 3 * .P)]))

  func plan<S: KernelScalar>(
    _ step: inout Step<S>, around method: WrappedMethod<S>
  ) throws(StepRefusal) {
    let proposed = try method.propose(&step)
    for (parameter, θ) in zip(step.parameters, proposed) { step.replace(parameter, by: θ) }
  }

  func reference(around method: any ReferenceOptimizer, lr: Double) -> any ReferenceOptimizer { method }
}
