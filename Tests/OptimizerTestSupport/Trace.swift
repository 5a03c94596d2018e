public import FisherLinearAlgebra
public import FisherOptimizers
import FisherTestSupport

/// A recorded run without a network: parameters of awkward shapes, first values, and a gradient for every step.
public struct Trace: Sendable {
  public let parameters: [ParameterInfo]
  public let values: [[Double]]
  public let gradients: [[[Double]]]

  public init(parameters: [ParameterInfo], values: [[Double]], gradients: [[[Double]]]) {
    self.parameters = parameters
    self.values = values
    self.gradients = gradients
  }

  /// Random values and gradients in [−1, 1), exact in `Float`, so that both precisions start from the same numbers.
  public init(seed: UInt64, steps: Int, parameters: [ParameterInfo] = Trace.awkward) {
    var generator = Generator(seed: seed)
    func random(_ count: Int) -> [Double] { (0..<count).map { _ in Double(generator.uniform() as Float) } }
    self.parameters = parameters
    values = parameters.map { random($0.count) }
    gradients = (0..<steps).map { _ in parameters.map { random($0.count) } }
  }

  /// Every role, sizes around the width of a vector, one element, and a parameter without a layer.
  public static let awkward = [
    ParameterInfo(name: "a.weight", shape: [5, 7], role: .linearWeight, layer: "a"),
    ParameterInfo(name: "a.bias", shape: [5], role: .bias, layer: "a"),
    ParameterInfo(name: "b.weight", shape: [3, 2, 3, 3], role: .convolutionWeight, layer: "b"),
    ParameterInfo(name: "b.bias", shape: [3], role: .bias, layer: "b"),
    ParameterInfo(name: "n.weight", shape: [9], role: .normScale, layer: "n"),
    ParameterInfo(name: "n.bias", shape: [9], role: .normShift, layer: "n"),
    ParameterInfo(name: "e.weight", shape: [11, 4], role: .embedding, layer: "e"),
    ParameterInfo(name: "token", shape: [1], role: .plain),
    ParameterInfo(name: "wide.weight", shape: [2, 64], role: .linearWeight, layer: "wide"),
  ]

  /// What an optimizer makes of the trace.
  ///
  /// - Parameter beforeStep: may change the driver before each step: the place for mutations.
  public func run<S: KernelScalar>(
    _ optimizer: any Optimizer, _: S.Type, threads: Int = 1,
    beforeStep: (inout OptimizerDriver<S>) -> Void = { _ in }
  ) throws -> [[Double]] {
    var driver = try OptimizerDriver<S>(optimizer, parameters: parameters, threads: threads)
    var values = matrices(self.values, S.self)
    for gradients in gradients {
      beforeStep(&driver)
      var gradients = matrices(gradients, S.self)
      _ = try driver.step(
        values: &values, gradients: &gradients, objective: PlainObjective<S>(sampleCount: 1))
    }
    return values.map { $0.array.map(Double.init) }
  }

  /// What the naive form of an optimizer makes of the trace.
  public func runReference(_ reference: any ReferenceOptimizer) -> [[Double]] {
    var reference = reference
    var values = self.values
    for gradients in gradients {
      var step = ReferenceStep(parameters: parameters, values: values, gradients: gradients)
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
