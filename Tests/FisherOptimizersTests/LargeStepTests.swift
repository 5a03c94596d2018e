import FisherLinearAlgebra
import FisherOptimizers
import FisherRuntime
import FisherTestSupport
import OptimizerTestSupport
import Testing

/// Steps over more memory than the caches hold store past them, and leave the same bits as any other.
@Suite struct LargeStepTests {
  /// Rows of odd length, so that most begin where no streaming store can.
  private static let shapes = [[1031, 2051], [1 << 21], [513, 4096]]

  @Test(arguments: shapes)
  func largeStepsFollowTheDefinition(shape: [Int]) throws {
    try check(Float.self, shape)
    try check(Double.self, shape)
  }

  private func check<S: KernelScalar>(_: S.Type, _ shape: [Int]) throws {
    let parameter = ParameterInfo(name: "w", shape: shape, role: .plain)
    let (rows, columns) = (parameter.rows, parameter.columns)
    #expect(6 * rows * columns * MemoryLayout<S>.stride > CacheModel.machine.exceedsThird)
    var driver = try OptimizerDriver<S>(Factored(), parameters: [parameter], threads: 2)
    var values = [Matrix<S>(rows: rows, columns: columns) { i, j in S((i &* 13 &+ j &* 7) % 97) / 32 }]
    var (x, m) = (values[0], Matrix<S>(rows: rows, columns: columns))
    for step in 1...3 {
      var g = [Matrix<S>(rows: rows, columns: columns) { i, j in S((i &* 31 &+ j &* 17 &+ step) % 101) / 64 }]
      for i in 0..<rows {
        for j in 0..<columns {
          m[i, j] = S(0.5) * m[i, j] + g[0][i, j]
          x[i, j] -= Factored.factor(i) * Factored.factor(j) * m[i, j]
        }
      }
      _ = try driver.step(values: &values, gradients: &g, objective: PlainObjective<S>())
      #expect(values[0] == x && driver.state.tensors[SlotKey("w", "m")] == m, "step \(step)")
    }
  }
}

/// θ ← θ − a_i·b_j·m, with m ← m/2 + g.
private struct Factored: Optimizer {
  static let record = OptimizerRecord(
    name: "factored", title: "Factored", summary: "Has a factor a row and a column.", paper: "none",
    needs: [.gradients], hyperparameters: [], invariances: [], cost: Cost([]), stateSize: "P",
    probes: [[:]])

  static func factor<S: KernelScalar>(_ i: Int) -> S { S(1 + i % 7) / 16 }

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    for parameter in step.parameters {
      step.apply(
        FactoredRule<S>(), to: parameter,
        row: Matrix(rows: 1, columns: parameter.rows) { _, i in Self.factor(i) },
        column: Matrix(rows: 1, columns: parameter.columns) { _, j in Self.factor(j) })
    }
  }

  func reference() -> any ReferenceOptimizer { fatalError("there is none") }
}

private struct FactoredRule<S: KernelScalar>: UpdateRule {
  struct State { var m: Lanes<S> }

  func update(_ x: inout Element<S>, _ state: inout State) {
    state.m = S(0.5) * state.m + x.gradient
    x.value -= x.row * x.column * state.m
  }
}
