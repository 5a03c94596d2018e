import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginMiniBlockFisher

/// A run of MBF, step by step; weights start at zero unless given, and without decay one step with α = 1 makes them −P.
struct Run {
  let parameters: [ParameterInfo]
  var driver: OptimizerDriver<Double>
  var values: [Matrix<Double>]

  init(
    _ settings: [String: SettingValue], _ parameters: [ParameterInfo], values: [[Double]]? = nil,
    threads: Int = 1
  ) throws {
    self.parameters = parameters
    let plain: [String: SettingValue] = ["lr": 1, "momentum": 0, "damping": 0.03]
    driver = try OptimizerDriver(
      try MiniBlockFisher(plain.merging(settings) { $1 }), parameters: parameters, threads: threads)
    self.values = parameters.enumerated().map { i, p in
      Matrix(values?[i] ?? [Double](repeating: 0, count: p.count), rows: p.rows, columns: p.columns)
    }
  }

  /// - Returns: what the step counted.
  @discardableResult
  mutating func step(
    _ gradients: [[Double]], _ captures: Captures<Double, Empirical>? = nil,
    outputs: OutputGradients<Double>? = nil
  ) throws -> [String: Int] {
    var gradients = zip(parameters, gradients).map { Matrix($1, rows: $0.rows, columns: $0.columns) }
    return try driver.step(
      values: &values, gradients: &gradients,
      objective: PlainObjective(captures: captures, outputGradients: outputs)
    ).events
  }

  func state(_ slot: String, of owner: String) -> Matrix<Double>? {
    driver.state.tensors[SlotKey(owner, slot)]
  }

  /// Blocks of the state, one below the other: separate ones are kept as interleaved triangles.
  func blocks(_ slot: String, of owner: String, count: Int, order: Int) -> Matrix<Double>? {
    state(slot, of: owner).map { InterleavedBatch(elements: $0, count: count, order: order).stack().stacked }
  }

  /// P of a first step.
  static func direction(
    _ settings: [String: SettingValue], _ parameters: [ParameterInfo], _ gradients: [[Double]],
    _ captures: Captures<Double, Empirical>? = nil
  ) throws -> [[Double]] {
    var run = try Run(settings, parameters)
    try run.step(gradients, captures)
    return run.values.map { $0.array.map(-) }
  }

  static func convolution(_ shape: [Int]) -> ParameterInfo {
    ParameterInfo(name: "c", shape: shape, role: .convolutionWeight, layer: "c")
  }

  /// A dense layer with a bias.
  static func dense(_ outputs: Int, _ inputs: Int, bias: Bool = true) -> [ParameterInfo] {
    [ParameterInfo(name: "w", shape: [outputs, inputs], role: .linearWeight, layer: "l")]
      + (bias ? [ParameterInfo(name: "b", shape: [outputs], role: .bias, layer: "l")] : [])
  }
}

/// Numbers in [−1, 1).
func random(_ count: Int, _ seed: UInt64) -> [Double] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(Int64(bitPattern: state) >> 11) * 0x1p-52
  }
}

/// The largest difference over the largest magnitude.
func error(_ a: [Double], _ b: [Double]) -> Double {
  let scale = b.map(abs).max() ?? 0
  return a.count == b.count ? (zip(a, b).map { abs($0 - $1) }.max() ?? 0) / max(scale, 1e-300) : .infinity
}
