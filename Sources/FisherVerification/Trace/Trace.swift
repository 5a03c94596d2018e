public import FisherCurvature
public import FisherLinearAlgebra
public import FisherOptimizers
import FisherTraining

/// A recorded run without a network: parameters of awkward shapes, first values, and for every step a gradient and
/// what passed through the layers.
public struct Trace: Sendable {
  public let parameters: [ParameterInfo]
  public let values: [[Double]]
  public let gradients: [[[Double]]]
  /// What the batch of each step can be asked; nil for methods that do not look at layers.
  public let batches: [PlainObjective<Double>]?

  /// The captures of each step.
  public var captures: [Captures<Double, Empirical>]? { batches?.compactMap(\.captures) }

  public init(
    parameters: [ParameterInfo], values: [[Double]], gradients: [[[Double]]],
    captures: [Captures<Double, Empirical>]? = nil
  ) {
    self.init(
      parameters: parameters, values: values, gradients: gradients,
      batches: captures?.map { PlainObjective(captures: $0) })
  }

  public init(
    parameters: [ParameterInfo], values: [[Double]], gradients: [[[Double]]],
    batches: [PlainObjective<Double>]?
  ) {
    self.parameters = parameters
    self.values = values
    self.gradients = gradients
    self.batches = batches
  }

  /// Random values and gradients in [−1, 1), exact in `Float`, so that both precisions start from the same numbers.
  public init(seed: UInt64, steps: Int, parameters: [ParameterInfo] = Trace.awkward) {
    var generator = KeyedGenerator(seed)
    func random(_ count: Int) -> [Double] { (0..<count).map { _ in generator.uniform() } }
    self.parameters = parameters
    values = parameters.map { random($0.count) }
    gradients = (0..<steps).map { _ in parameters.map { random($0.count) } }
    let kinds = Trace.kinds(of: parameters)
    batches = (0..<steps).map { _ in Trace.batch(kinds, parameters, &generator) }
  }

  /// Every role, sizes around the width of a vector, one element, and a parameter without a layer.
  public static let awkward = [
    ParameterInfo(name: "a.weight", shape: [5, 7], role: .linearWeight, layer: "a"),
    ParameterInfo(name: "a.bias", shape: [5], role: .bias, layer: "a"),
    ParameterInfo(name: "b.weight", shape: [3, 2, 3, 3], role: .convolutionWeight, layer: "b"),
    ParameterInfo(name: "b.bias", shape: [3], role: .bias, layer: "b"),
    ParameterInfo(name: "n.weight", shape: [9], role: .normScale, layer: "n"),
    ParameterInfo(name: "n.bias", shape: [9], role: .normShift, layer: "n"),
    ParameterInfo(name: "l.weight", shape: [6], role: .normScale, layer: "l"),
    ParameterInfo(name: "l.bias", shape: [6], role: .normShift, layer: "l"),
    ParameterInfo(name: "e.weight", shape: [11, 4], role: .embedding, layer: "e"),
    ParameterInfo(name: "square.weight", shape: [4, 4], role: .linearWeight, layer: "square"),
    ParameterInfo(name: "token", shape: [1], role: .plain),
    ParameterInfo(name: "wide.weight", shape: [2, 64], role: .linearWeight, layer: "wide"),
  ]

  /// What an optimizer makes of the trace.
  ///
  /// - Parameters:
  ///   - optimizer: with its settings.
  ///   - type: the element type of the run.
  ///   - backend: what carries out the products.
  ///   - threads: the most threads to use.
  ///   - schedule: what multiplies the learning rate.
  ///   - groups: parameters that are treated in their own way.
  ///   - beforeStep: may change the driver before each step: the place for mutations.
  public func run<S: KernelScalar>(
    _ optimizer: any Optimizer, _ type: S.Type, on backend: any Backend = NativeBackend(), threads: Int = 1,
    schedule: Schedule = .constant, groups: [ParameterGroup] = [],
    beforeStep: (inout OptimizerDriver<S>) throws -> Void = { _ in }
  ) throws -> [[Double]] {
    var driver = try OptimizerDriver<S>(
      optimizer, parameters: parameters, groups: groups, schedule: schedule, backend: backend,
      threads: threads)
    var values = matrices(self.values, S.self)
    for (i, gradients) in gradients.enumerated() {
      try beforeStep(&driver)
      var gradients = matrices(gradients, S.self)
      // As a trainer would: what the step does not ask for is not there.
      let batch = batches?[i].converted(to: S.self, needs: driver.needs)
      _ = try driver.step(
        values: &values, gradients: &gradients, objective: batch ?? PlainObjective<S>())
    }
    return values.map { $0.array.map(Double.init) }
  }

  /// What the naive form of an optimizer makes of the trace.
  public func runReference(_ reference: any ReferenceOptimizer) -> [[Double]] {
    var reference = reference
    return runReference(&reference)
  }

  /// The same, with the memory that the naive form has afterwards.
  func runReference(_ reference: inout any ReferenceOptimizer) -> [[Double]] {
    var values = self.values
    for (i, gradients) in gradients.enumerated() {
      var step = ReferenceStep(
        parameters: parameters, values: values, gradients: gradients,
        objective: batches?[i] ?? PlainObjective())
      reference.step(&step)
      values = step.values
    }
    return values
  }

  /// The elements of all parameters as matrices.
  public func matrices<S: KernelScalar>(_ arrays: [[Double]], _: S.Type) -> [Matrix<S>] {
    zip(parameters, arrays).map { Matrix($1.map { S($0) }, rows: $0.rows, columns: $0.columns) }
  }
}

/// The largest difference over the largest magnitude, parameter by parameter; NaN if one is NaN.
public func relativeError(_ values: [[Double]], _ expected: [[Double]]) -> Double {
  var worst = 0.0
  for (values, expected) in zip(values, expected) {
    let scale = expected.map(abs).max() ?? 0
    let difference = zip(values, expected).map { abs($0 - $1) }
    for x in difference where !(x <= worst * scale) { worst = x.isNaN ? x : max(worst, x / scale) }
  }
  return worst
}

extension KeyedGenerator {
  /// Uniform in [−1, 1), exact in `Float`.
  mutating func uniform() -> Double { Double(Float(2 * unit() - 1)) }
}
