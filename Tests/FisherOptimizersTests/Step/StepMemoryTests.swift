import FisherLinearAlgebra
import FisherOptimizers
import FisherRuntime
import FisherTestSupport
import OptimizerTestSupport
import Testing

/// What large methods ask of a step: memory that comes again, changes in place, and directions with gaps.
@Suite struct StepMemoryTests {
  let parameter = ParameterInfo(name: "w", shape: [70, 90], role: .plain)

  private func random(_ seed: UInt64) -> Matrix<Double> {
    var generator = Generator(seed: Seed.first &+ seed)
    return Matrix(rows: 70, columns: 90) { _, _ in Double.random(in: -1...1, using: &generator) }
  }

  private func step(
    _ driver: inout OptimizerDriver<Double>, _ values: inout [Matrix<Double>], _ gradient: Matrix<Double>
  ) throws {
    var gradients = [gradient]
    _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Double>())
  }

  @Test func stepsFindTheirMemoryAgain() throws {
    var driver = try OptimizerDriver<Double>(Borrowing(), parameters: [parameter], threads: 2)
    var values = [random(1)]
    var expected = values[0]
    var m = Matrix<Double>(rows: 70, columns: 90)
    var s = m
    for t in 0..<6 {
      let g = random(UInt64(t) + 2)
      let before = AllocationCount.current
      try step(&driver, &values, g)
      // The first steps take memory for M, its successor, the direction and S.
      if t >= 2 { #expect(AllocationCount.current == before, "step \(t)") }
      m = Matrix(rows: 70, columns: 90) { 0.5 * m[$0, $1] + g[$0, $1] }
      s = Matrix(rows: 70, columns: 90) { t == 0 ? g[$0, $1] : s[$0, $1] + g[$0, $1] }
      expected = Matrix(rows: 70, columns: 90) { expected[$0, $1] - 0.1 * (0.5 * m[$0, $1]) }
      #expect(values[0] == expected)
      #expect(driver.state.tensors[SlotKey("w", "M")] == m)
      #expect(driver.state.tensors[SlotKey("w", "S")] == s)
    }
  }

  /// What somebody keeps of the state does not change behind his back.
  @Test func keptStateStays() throws {
    var driver = try OptimizerDriver<Double>(Borrowing(), parameters: [parameter])
    var values = [random(1)]
    for t in 0..<3 { try step(&driver, &values, random(UInt64(t) + 2)) }
    let (kept, copy) = (driver.state, driver)
    let fingerprint = kept.fingerprint
    var other = values
    for t in 3..<6 { try step(&driver, &values, random(UInt64(t) + 2)) }
    #expect(kept.fingerprint == fingerprint && copy.state.fingerprint == fingerprint)
    var again = copy
    for t in 3..<6 { try step(&again, &other, random(UInt64(t) + 2)) }
    #expect(again.state.fingerprint == driver.state.fingerprint && other == values)
  }

  @Test func refusedStepsMakeNoChangesInPlace() throws {
    var driver = try OptimizerDriver<Double>(Borrowing(), parameters: [parameter])
    var values = [random(1)]
    for t in 0..<3 { try step(&driver, &values, random(UInt64(t) + 2)) }
    let (oldValues, oldState) = (values, driver.state.fingerprint)
    var huge = random(9)
    // M overflows, after the change of S was staged.
    huge[3, 5] = 0.9 * .greatestFiniteMagnitude
    try step(&driver, &values, huge)
    #expect(driver.state.fingerprint != oldState)
    let (nextValues, nextState) = (values, driver.state.fingerprint)
    #expect(throws: StepRefusal.nonFiniteState(optimizer: "borrowing", slot: SlotKey("w", "M"))) {
      try step(&driver, &values, huge)
    }
    #expect(values == nextValues && driver.state.fingerprint == nextState && values != oldValues)
  }
}

/// Intermediate results share memory, and no two that are held have the same.
@Suite struct IntermediateResultTests {
  private let g = Matrix<Double>(rows: 40, columns: 30) { Double($0) - 2 * Double($1) }

  private func driver(_ optimizer: Halving) throws -> OptimizerDriver<Double> {
    try OptimizerDriver(optimizer, parameters: [ParameterInfo(name: "w", shape: [40, 30], role: .plain)])
  }

  /// - Returns: how often the step took memory.
  @discardableResult
  private func step(
    _ driver: inout OptimizerDriver<Double>, _ values: inout [Matrix<Double>]
  ) throws -> Int {
    var gradients = [g]
    let before = AllocationCount.current
    _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Double>())
    return AllocationCount.current - before
  }

  private func moved(by share: Double) -> Matrix<Double> {
    Matrix(rows: 40, columns: 30) { g[$0, $1] - share * g[$0, $1] }
  }

  @Test func memoryIsFreeWhenNobodyHoldsIt() throws {
    var (few, many) = (try driver(Halving(times: 2)), try driver(Halving(times: 40)))
    var (a, b) = ([g], [g])
    let allocations = try step(&few, &a)
    #expect(try step(&many, &b) == allocations)
    #expect(a[0] == moved(by: 0.25) && b[0] == moved(by: 0x1p-40))
  }

  @Test func whatIsHeldKeepsItsElements() throws {
    var driver = try driver(Halving(times: 5, holds: true))
    var values = [g]
    for t in 1...3 {
      try step(&driver, &values)
      #expect(values[0] == moved(by: Double(t) * 0.96875))
    }
  }

  @Test func shapesThatNobodyAsksForAreLetGo() throws {
    var driver = try driver(Halving(times: 2, wideSteps: [1, 5, 10, 200]))
    var values = [g]
    let allocations = try (1...200).map { _ in try step(&driver, &values) }
    // The first steps take what every step needs.
    #expect(allocations[3] == 0 && allocations[4] == 0 && allocations[9] == 0 && allocations[100] == 0)
    #expect(allocations[199] == 1)
  }
}

/// θ ← θ − g/2ᵏ by k matrices, one after the other, or θ ← θ − g/2 − g/4 − … − g/2ᵏ from all of them.
private struct Halving: Optimizer {
  static let record = OptimizerRecord(
    name: "halving", title: "Halving", summary: "Asks for memory.", paper: "none", needs: [.gradients],
    hyperparameters: [], invariances: [], cost: Cost([]), stateSize: "0", probes: [[:]])
  var times = 1
  var holds = false
  /// The steps that also ask for a matrix of another shape.
  var wideSteps: [Int] = []

  init() {}

  init(times: Int, holds: Bool = false, wideSteps: [Int] = []) {
    (self.times, self.holds, self.wideSteps) = (times, holds, wideSteps)
  }

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let parameter = step.parameters[0]
    let (rows, columns) = (parameter.rows, parameter.columns)
    if wideSteps.contains(step.number) { _ = step.temporary(rows: 70, columns: 80) { _ in } }
    var (x, all) = (step.gradient(parameter), [Matrix<S>]())
    for _ in 0..<times {
      x = step.temporary(rows: rows, columns: columns) {
        $0.assign(Combination(0.5, 0), of: x, nil, threads: 1)
      }
      if holds { all.append(x) }
    }
    if holds {
      x = Matrix(rows: rows, columns: columns) { i, j in all.reduce(0) { $0 + $1[i, j] } }
    }
    step.apply(Whole<S>(), to: parameter, gradient: x)
  }

  func reference() -> any ReferenceOptimizer { fatalError("there is none") }
}

/// θ ← θ − g
private struct Whole<S: KernelScalar>: UpdateRule {
  func update(_ x: inout Element<S>, _: inout NoState) { x.value -= x.gradient }
}

/// M ← 0.5·M + g in memory of its own; S ← S + g in place; θ ← θ − 0.1·M/2 from a direction with gaps.
private struct Borrowing: Optimizer {
  static let record = OptimizerRecord(
    name: "borrowing", title: "Borrowing", summary: "Asks for memory.", paper: "none", needs: [.gradients],
    hyperparameters: [], invariances: [], cost: Cost([]), stateSize: "2·P", probes: [[:]])
  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    for parameter in step.parameters {
      let (rows, columns) = (parameter.rows, parameter.columns)
      let g = step.gradient(parameter)
      var M = step.memory(for: "M", of: parameter.name, rows: rows, columns: columns)
      let former = step.tensor("M", of: parameter.name)
      for i in 0..<rows {
        for j in 0..<columns { M[i, j] = 0.5 * (former?[i, j] ?? 0) + g[i, j] }
      }
      step.set("M", of: parameter.name, to: M)
      if step.tensor("S", of: parameter.name) == nil {
        step.set("S", of: parameter.name, to: g)
      } else {
        step.change("S", of: parameter.name) { S in axpy(g, into: &S) }
      }
      let wide = step.temporary(rows: rows, columns: columns + 3) { P in
        for i in 0..<rows {
          for j in 0..<columns { P[i, j] = 0.5 * M[i, j] }
          for j in columns..<columns + 3 { P[i, j] = .nan }
        }
      }
      step.apply(
        Descent<S>(), to: parameter, gradient: wide[rows: 0..., columns: 0..<columns])
    }
  }

  func reference() -> any ReferenceOptimizer { fatalError("there is none") }
}

private struct Descent<S: KernelScalar>: UpdateRule {
  func update(_ x: inout Element<S>, _: inout NoState) { x.value -= S(0.1) * x.gradient }
}
