import FisherLinearAlgebra
import FisherOptimizers
import OptimizerTestSupport
import Testing

/// Factors of which the diagonal alone is looked through: whatever is not finite is found, and refused.
@Suite struct FactorRangeTests {
  static let order = 40
  let parameter = ParameterInfo(name: "w", shape: [3, Self.order], role: .plain)

  private func step(_ driver: inout OptimizerDriver<Double>, _ gradient: [(Int, Int, Double)]) throws {
    var g = Matrix<Double>(rows: 3, columns: Self.order) { Double($0 + 1) / Double($1 + 1) }
    for (i, j, x) in gradient { g[i, j] = x }
    var (values, gradients) = ([Matrix<Double>(rows: 3, columns: Self.order)], [g])
    _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Double>())
  }

  private func driver(_ optimizer: Averaging = Averaging()) throws -> OptimizerDriver<Double> {
    try OptimizerDriver<Double>(optimizer, parameters: [parameter], threads: 2)
  }

  private static let refusal = StepRefusal.nonFiniteState(optimizer: "averaging", slot: SlotKey("w", "H"))

  /// One square is infinite, a sum of squares is, a product of two elements is, each before α makes it small.
  @Test(arguments: [
    [(0, 7, 2e154)], [(0, 7, 1.2e154), (1, 7, 1.2e154)], [(2, 39, 1.7e154), (2, 0, -1.7e154)],
    [(0, 0, 1e200)],
  ]) func overflowIsRefused(gradient: [(Int, Int, Double)]) throws {
    var driver = try driver()
    for _ in 0..<2 { try step(&driver, []) }
    let before = driver.state.fingerprint
    #expect(throws: Self.refusal) { try step(&driver, gradient) }
    #expect(driver.state.fingerprint == before && driver.stepCount == 2)
    try step(&driver, [])
  }

  /// Large elements are no reason to refuse, until a sum of several steps overflows.
  @Test func largeFactorsAreKept() throws {
    var driver = try driver()
    for _ in 0..<3 { try step(&driver, [(0, 7, 1.2e154)]) }
    #expect(driver.state.tensors[SlotKey("w", "H")]![7, 7] > 1e305)
    var growing = try self.driver(Averaging(α: 1, β: 1))
    try step(&growing, [(0, 7, 1.2e154)])
    #expect(throws: Self.refusal) { try step(&growing, [(0, 7, 1.2e154)]) }
  }

  /// A restored factor is looked through whole, once.
  @Test func restoredFactorsAreLookedThrough() throws {
    var driver = try driver()
    try step(&driver, [])
    var state = driver.state
    state.tensors[SlotKey("w", "H")]![9, 2] = .nan
    driver.restore(state)
    #expect(throws: Self.refusal) { try step(&driver, []) }
  }

  /// What adds other things than squares is looked through whole.
  @Test func othersAreLookedThrough() throws {
    var driver = try driver(Averaging(addsSquares: false))
    for _ in 0..<2 { try step(&driver, []) }
    #expect(throws: Self.refusal) { try step(&driver, [(1, 3, 1e100)]) }
  }
}

/// H ← β·H + α·gᵀ·g; without squares, and for a gradient of 1e100, also Hᵢⱼ ← NaN somewhere.
private struct Averaging: Optimizer {
  static let record = OptimizerRecord(
    name: "averaging", title: "Averaging", summary: "Averages products.", paper: "none", needs: [.gradients],
    hyperparameters: [], invariances: [], cost: Cost([]), stateSize: "P", probes: [[:]])
  var α = 1e-3
  var β = 0.9
  var addsSquares = true

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    for parameter in step.parameters {
      let g = step.gradient(parameter)
      step.average("H", of: parameter.name, order: parameter.columns, addsSquares: addsSquares) { H in
        syrk(alpha: S(α), g.transposed, beta: S(β), into: &H)
        if !addsSquares && g[1, 3] > 1e99 { H[30, 20] = .nan }
      }
    }
  }

  func reference() -> any ReferenceOptimizer { fatalError("there is none") }
}
