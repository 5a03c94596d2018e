import FisherLinearAlgebra
import FisherOptimizers
import OptimizerTestSupport
import Testing

/// State that a step writes in full, and state that it cannot go on without.
@Suite struct StepStateTests {
  private let parameter = ParameterInfo(name: "w", shape: [2, 3], role: .plain)

  @Test func writtenStateIsStaged() throws {
    var run = try OptimizerRun<Double>(Counting(), [parameter])
    for t in 1...5 {
      try run.step([[Double](repeating: 0, count: 6)])
      #expect(run.state("n", of: "w") == Matrix(repeating: Double(t), rows: 2, columns: 3))
    }
  }

  @Test func missingAndOtherStateIsRefused() throws {
    let other = Matrix<Double>(rows: 3, columns: 2)
    for (former, reason) in [
      (nil, "its state has no n"), (other, "n of its state is 3×2 instead of 2×3"),
    ] {
      var run = try OptimizerRun<Double>(Counting(), [parameter])
      try run.step([[Double](repeating: 0, count: 6)])
      run.driver.restore(
        OptimizerState(tensors: former.map { [SlotKey("w", "n"): $0] } ?? [:], stepCount: 1))
      #expect(throws: StepRefusal.failed(optimizer: "counting", place: "w", reason: reason)) {
        try run.step([[Double](repeating: 0, count: 6)])
      }
    }
  }
}

/// n ← n + 1, from 1.
private struct Counting: Optimizer {
  static let record = OptimizerRecord(
    name: "counting", title: "Counting", summary: "Counts.", paper: "none", needs: [.gradients],
    hyperparameters: [], invariances: [], cost: Cost([]), stateSize: "P", probes: [[:]])

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    for parameter in step.parameters {
      let (rows, columns) = (parameter.rows, parameter.columns)
      var former = Matrix<S>(rows: rows, columns: columns)
      if step.number > 1 {
        former = try step.latest("n", of: parameter.name, rows: rows, columns: columns, for: "counting")
      }
      let new = step.set("n", of: parameter.name, rows: rows, columns: columns) { n in
        for i in 0..<rows { for j in 0..<columns { n[i, j] = former[i, j] + 1 } }
      }
      #expect(step.latest("n", of: parameter.name) == new)
    }
  }

  func reference() -> any ReferenceOptimizer { fatalError("there is none") }
}
