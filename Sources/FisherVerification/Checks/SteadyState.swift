import FisherLinearAlgebra
import FisherOptimizers
import FisherRuntime

extension Check {
  /// Memory for elements: matrices and scratch. Small lists and dictionaries by the name of a parameter are not counted.
  static let steadyState = Check(
    name: "steady-state",
    meaning:
      "steps take memory for elements as often late as early, and as often for large layers as for small ones"
  ) { subject in
    let small = try allocations(subject, size: 1)
    let large = try allocations(subject, size: 4)
    try demand(
      Set(small.suffix(6)).isSubset(of: Set(small.prefix(6))), "steps take memory more often: \(small) times")
    try demand(
      small == large, "layers 16 times as large take memory \(large) times instead of \(small)")
    return "\(small.max() ?? 0) times a step at most, whatever the size of the layers"
  }

  /// How often each step after the first four takes memory, on one thread.
  private static func allocations(_ subject: Subject, size: Int) throws -> [Int] {
    let trace = subject.trace(
      seed: seed, steps: 16,
      [
        ParameterInfo(name: "a.weight", shape: [4 * size, 7 * size], role: .linearWeight, layer: "a"),
        ParameterInfo(name: "a.bias", shape: [4 * size], role: .bias, layer: "a"),
        ParameterInfo(
          name: "c.weight", shape: [3 * size, 2 * size, 3, 3], role: .convolutionWeight, layer: "c"),
      ])
    let optimizer = try subject.type.init(subject.probe)
    var driver = try OptimizerDriver<Double>(
      subject.mutation?.changed(optimizer) ?? optimizer, parameters: trace.parameters, threads: 1)
    var values = trace.matrices(trace.values, Double.self)
    var counts: [Int] = []
    for t in trace.gradients.indices {
      var gradients = trace.matrices(trace.gradients[t], Double.self)
      let batch = trace.batches?[t].converted(to: Double.self, needs: driver.needs)
      let before = AllocationCount.current
      _ = try driver.step(
        values: &values, gradients: &gradients, objective: batch ?? PlainObjective<Double>())
      counts.append(AllocationCount.current - before)
    }
    return Array(counts.dropFirst(4))
  }
}
