import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

// What parameters have to do with one another: nothing that depends on their order, on those without a gradient, or, where
// it is declared, on the cut into groups. None of these needs the reference.

extension Check {
  /// Layers that are refreshed in turn would be refreshed in another turn: every step refreshes all.
  fileprivate static func settings(_ subject: Subject) -> [String: SettingValue] {
    subject.record.cost.periods.reduce(into: subject.probe) { $0[$1] = .integer(1) }
  }

  static let orderOfParameters = Check(
    name: "order-of-parameters", meaning: "parameters in another order take the same steps",
    applies: { !$0.dependsOnOrder }
  ) { subject in
    let trace = subject.trace(seed: seed, steps: 5)
    let plain = try subject.run(trace, Double.self, settings(subject))
    let reversed = try subject.run(trace.reversed, Double.self, settings(subject))
    // Sums over all parameters are in another order, too.
    let error = try demandClose(Array(reversed.reversed()), plain, within: 1e-10, "parameters in reverse")
    return "relative error \(short(error))"
  }

  static let missingGradients = Check(
    name: "missing-gradients",
    meaning: "a layer without gradients changes nothing for the others, and keeps its state",
    applies: { $0.needs.contains(.gradients) }
  ) { subject in
    let trace = subject.trace(seed: seed, steps: 5)
    guard let layer = trace.parameters.first?.layer, trace.parameters.contains(where: { $0.layer != layer })
    else { return "there is one layer alone" }
    let isQuiet = trace.parameters.map { $0.layer == layer }
    let without = try subject.run(trace.filtered { $0.layer != layer }, Double.self, settings(subject))
    let silent = try subject.run(trace.silencing(layer) { _ in true }, Double.self, settings(subject))
    let others = zip(silent, isQuiet).filter { !$0.1 }.map(\.0)
    var error = try demandClose(
      others, without, within: 1e-10, "the others beside \(layer) without gradients")
    let now = trace.silencing(layer) { $0 == 2 }
    error = max(
      error,
      try demandClose(
        try subject.run(now, Double.self, settings(subject)),
        try subject.runReference(now, settings(subject)), within: 1e-10,
        "\(layer) without gradients in step 3 alone"))
    return "relative error \(short(error))"
  }

  static let groups = Check(
    name: "groups-are-one", meaning: "declared: two groups with equal settings are one",
    applies: { $0.treatsParametersApart }
  ) { subject in
    let trace = subject.trace(seed: seed, steps: 5)
    let whole = try subject.run(trace, Double.self, settings(subject))
    let parts = try subject.run(
      trace, Double.self, settings(subject), groups: [ParameterGroup(NamePattern("a.*"))])
    let error = try demandClose(parts, whole, within: 1e-12, "two groups")
    return "relative error \(short(error))"
  }
}

extension Trace {
  /// The same run, the last parameter first.
  var reversed: Trace {
    Trace(
      parameters: parameters.reversed(), values: values.reversed(),
      gradients: gradients.map { $0.reversed() }, batches: batches)
  }

  /// The same run of some of the parameters.
  func filtered(_ isKept: (ParameterInfo) -> Bool) -> Trace {
    func kept<T>(_ list: [T]) -> [T] { zip(list, parameters).filter { isKept($0.1) }.map(\.0) }
    return Trace(
      parameters: kept(parameters), values: kept(values), gradients: gradients.map(kept), batches: batches)
  }

  /// The parameters without a gradient in a step, and their layers.
  func silent(in step: Int) -> Set<String> {
    Set(
      zip(parameters, gradients[step]).filter { $0.1.allSatisfy { $0 == 0 } }
        .flatMap { [$0.0.name, $0.0.layer ?? $0.0.name] })
  }

  /// The same run in which some steps, counted from 0, have no gradients in a layer.
  func silencing(_ layer: String, in isSilent: (Int) -> Bool) -> Trace {
    let gradients = gradients.enumerated().map { t, gradients in
      zip(parameters, gradients).map { $0.layer == layer && isSilent(t) ? $1.map { _ in 0 } : $1 }
    }
    let batches = batches?.enumerated().map { t, batch in
      isSilent(t)
        ? batch.silencing(layer, Set(parameters.filter { $0.layer == layer }.map(\.name))) : batch
    }
    return Trace(parameters: parameters, values: values, gradients: gradients, batches: batches)
  }
}

extension PlainObjective where Scalar == Double {
  /// The same batch without output gradients in a layer, whose parameters the loss does not depend on.
  fileprivate func silencing(_ layer: String, _ parameters: Set<String>) -> PlainObjective<Double> {
    let quiet = mapNamedLayers { name, capture in
      name == layer ? capture.replacing(capture.outputGradients.multiplied(by: 0)) : capture
    }
    return quiet.mapHessian { hessian in
      { direction in
        hessian(direction.filter { !parameters.contains($0.key) }).reduce(into: [:]) { products, product in
          let (name, value) = product
          products[name] =
            parameters.contains(name) ? Matrix(rows: value.rows, columns: value.columns) : value
        }
      }
    }
  }
}
