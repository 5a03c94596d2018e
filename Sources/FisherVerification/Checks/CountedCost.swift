import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherTraining

extension Check {
  /// Runs the method with numbers that count, and compares with its record's formulas.
  static let costAsDeclared = Check(
    name: "cost-as-declared",
    meaning: "counted flops and elements of a step are those of the declared formulas"
  ) { subject in
    let workload = CostWorkload(subject)
    let counted = try FlopMeter.exclusively { try workload.count(subject) }
    let settings = try subject.type.init(subject.costProbe).settings
    let declared = subject.record.cost.value(
      of: workload.parameters, settings, samples: CostWorkload.samples, columns: CostWorkload.columns)
    for (what, counted, declared) in [
      ("flops", counted.flops, declared.flops), ("elements", counted.elements, declared.elements),
    ] {
      // Terms of lower order are left out of formulas.
      try demand(
        abs(counted - declared) <= 0.05 * counted,
        "\(short(counted)) \(what) a step were counted, \(short(declared)) are declared: \(subject.record.cost)"
      )
    }
    return "\(short(counted.flops)) flops, \(short(counted.elements)) elements a step; declared "
      + "\(short(declared.flops)), \(short(declared.elements))"
  }
}

/// A batch of two dense layers and a convolution whose sizes are whole vectors.
private struct CostWorkload {
  static let samples = 32
  static let columns = 2

  let parameters: [ParameterInfo]

  init(_ subject: Subject) {
    var all = [
      ParameterInfo(name: "a.weight", shape: [56, 40], role: .linearWeight, layer: "a"),
      ParameterInfo(name: "a.bias", shape: [56], role: .bias, layer: "a"),
      ParameterInfo(name: "b.weight", shape: [24, 72], role: .linearWeight, layer: "b"),
    ]
    // Methods that look at samples say what dense layers cost.
    if subject.record.needs.isDisjoint(with: .captures)
      || subject.record.cost.parts.contains(where: { $0.scope == .convolution })
    {
      all.append(ParameterInfo(name: "c.weight", shape: [8, 16, 3, 3], role: .convolutionWeight, layer: "c"))
    }
    parameters = subject.treated(all)
  }

  /// Flops and elements a step, in the mean over the period after the first.
  func count(_ subject: Subject) throws -> (flops: Double, elements: Double) {
    let optimizer = try subject.type.init(subject.costProbe)
    let period = subject.record.cost.periods.map(optimizer.settings.integer).max() ?? 1
    var driver = try OptimizerDriver<Counted>(
      optimizer, parameters: parameters, backend: CountingBackend(), threads: 1)
    var generator = KeyedGenerator(Check.seed)
    func random(_ rows: Int, _ columns: Int) -> Matrix<Counted> {
      Matrix(rows: rows, columns: columns) { _, _ in Counted(generator.uniform()) }
    }
    var values = parameters.map { random($0.rows, $0.columns) }
    let batch = RandomBatch.dense(parameters, samples: Self.samples, outputs: Self.columns).draw(&generator)
    let audit = StepAudit { Counted.operations }
    for t in 0..<2 * period {
      var gradients = parameters.map { random($0.rows, $0.columns) }
      let objective = batch.converted(to: Counted.self, needs: driver.needs)
      _ = try driver.step(
        values: &values, gradients: &gradients, objective: objective, audit: t < period ? nil : audit)
    }
    return (Double(audit.flops) / Double(period), Double(audit.elements) / Double(period))
  }
}
