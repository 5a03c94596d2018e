import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

extension Check {
  static let zeroGradients = Check(
    name: "zero-gradients", meaning: "steps without any gradient leave finite weights, whatever came before"
  ) { subject in
    let trace = subject.trace(seed: seed, steps: 6)
    let zeroed = Trace(
      parameters: trace.parameters, values: trace.values,
      gradients: trace.gradients.enumerated().map { t, g in t < 2 ? g : g.map { $0.map { _ in 0 } } },
      batches: trace.batches?.enumerated().map { t, batch in
        t < 2
          ? batch
          : batch.mapLayers { $0.replacing($0.outputGradients.multiplied(by: 0)) }
            .replacing(outputGradients: batch.outputGradients?.multiplied(by: 0))
      })
    for first in [0, 2] {
      let part = Trace(
        parameters: trace.parameters, values: trace.values,
        gradients: Array(zeroed.gradients.dropFirst(first)),
        batches: zeroed.batches.map { Array($0.dropFirst(first)) })
      let values = try subject.run(part, Double.self, subject.probe)
      try demand(
        values.joined().allSatisfy(\.isFinite), "weights are not finite after steps without gradients")
    }
    return "after two steps with gradients, and from the start"
  }

  static let refusesNonFinite = Check(
    name: "refuses-non-finite", meaning: "a step with NaN or infinity is refused and changes no bit"
  ) { subject in
    let trace = subject.trace(seed: seed, steps: 3)
    for bad in [Double.nan, .infinity, -.infinity] {
      var driver = try OptimizerDriver<Double>(
        try subject.type.init(subject.probe), parameters: trace.parameters, threads: 1)
      var values = trace.matrices(trace.values, Double.self)
      for t in 0..<2 { try step(&driver, &values, trace, t) { $0 } }
      let (oldValues, oldState) = (values, driver.state.fingerprint)
      do {
        try step(&driver, &values, trace, 2) { _ in bad }
        throw Failure("a step with \(bad) was taken")
      } catch is StepRefusal {}
      try demand(
        values == oldValues && driver.state.fingerprint == oldState, "a refused step changed something")
      try step(&driver, &values, trace, 2) { $0 }
    }
    return "NaN, +∞, −∞ in gradients and output gradients"
  }

  /// A step in which one element of every gradient, and of every output gradient, is changed.
  private static func step(
    _ driver: inout OptimizerDriver<Double>, _ values: inout [Matrix<Double>], _ trace: Trace, _ t: Int,
    _ change: @escaping @Sendable (Double) -> Double
  ) throws {
    @Sendable func changed(_ x: [Double]) -> [Double] { [change(x[0])] + x.dropFirst() }
    @Sendable func changed(_ x: OutputGradients<Double>) -> OutputGradients<Double> {
      .ofMean(
        Matrix(changed(x.values.array), rows: x.values.rows, columns: x.values.columns),
        terms: Int((x.scaleToSum / x.scaleToMean).rounded()))
    }
    var gradients = trace.matrices(trace.gradients[t].map(changed), Double.self)
    let batch = trace.batches?[t].mapLayers { $0.replacing(changed($0.outputGradients)) }
    let objective = batch?.replacing(outputGradients: batch?.outputGradients.map(changed))
      .converted(to: Double.self, needs: driver.needs)
    _ = try driver.step(
      values: &values, gradients: &gradients, objective: objective ?? PlainObjective<Double>())
  }

  static let smallShapes = Check(
    name: "small-shapes", meaning: "one element, 1×1 convolutions, and no parameters at all"
  ) { subject in
    let small = [
      ParameterInfo(name: "one.weight", shape: [1, 1], role: .linearWeight, layer: "one"),
      ParameterInfo(name: "one.bias", shape: [1], role: .bias, layer: "one"),
      ParameterInfo(name: "p.weight", shape: [3, 2, 1, 1], role: .convolutionWeight, layer: "p"),
      ParameterInfo(name: "n.weight", shape: [1], role: .normScale, layer: "n"),
      ParameterInfo(name: "scalar", shape: [1], role: .plain),
    ]
    var worst = 0.0
    for parameters in [Array(small[..<2]), [small[2]], [small[3]], [small[4]], small, []] {
      let trace = subject.trace(seed: seed, steps: 5, parameters)
      // A method that sees layers cannot run without one.
      if trace.parameters.isEmpty && !parameters.isEmpty { continue }
      worst = max(
        worst,
        try demandClose(
          subject.run(trace, Double.self, subject.probe), subject.runReference(trace, subject.probe),
          within: 1e-11,
          "\(parameters.map(\.summary))"))
    }
    return "relative error \(short(worst))"
  }

  static let zeroLearningRate = Check(
    name: "zero-learning-rate",
    meaning: "a schedule of zero leaves every weight as it is, and one of one changes them"
  ) { subject in
    let trace = subject.trace(seed: seed, steps: 3)
    let still = try subject.run(trace, Double.self, subject.probe, schedule: .linear(steps: 0, end: 0))
    let moved = try subject.run(trace, Double.self, subject.probe)
    try demand(zip(trace.values, moved).allSatisfy { $0 != $1 }, "some weights do not move")
    try demand(still == trace.values, "weights move although the schedule says 0")
    return "3 steps"
  }
}
