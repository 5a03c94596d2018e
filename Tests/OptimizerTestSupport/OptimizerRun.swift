public import FisherCurvature
public import FisherLinearAlgebra
public import FisherOptimizers

/// A run of an optimizer, step by step; weights start at zero unless given.
public struct OptimizerRun<S: KernelScalar> {
  public let parameters: [ParameterInfo]
  public var driver: OptimizerDriver<S>
  public var values: [Matrix<S>]

  public init(
    _ optimizer: any Optimizer, _ parameters: [ParameterInfo], values: [[S]]? = nil, threads: Int = 1
  ) throws {
    self.parameters = parameters
    driver = try OptimizerDriver(optimizer, parameters: parameters, threads: threads)
    self.values = parameters.enumerated().map { i, p in
      Matrix(values?[i] ?? [S](repeating: 0, count: p.count), rows: p.rows, columns: p.columns)
    }
  }

  /// Takes a step. The captures are those of the data's labels and of drawn ones.
  ///
  /// - Returns: what the step counted.
  @discardableResult
  public mutating func step(
    _ gradients: [[S]], _ layers: [String: LayerCapture<S>] = [:]
  ) throws -> [String: Int] {
    var gradients = zip(parameters, gradients).map { Matrix($1, rows: $0.rows, columns: $0.columns) }
    return try driver.step(
      values: &values, gradients: &gradients,
      objective: PlainObjective(captures: Captures(layers), sampled: Captures(layers))
    ).events
  }

  /// A tensor of the state.
  public func state(_ slot: String, of owner: String) -> Matrix<S>? {
    driver.state.tensors[SlotKey(owner, slot)]
  }

  /// The lower triangle of a tensor of the state, mirrored.
  public func symmetric(_ slot: String, of owner: String) -> Matrix<S>? {
    state(slot, of: owner).map { lower in
      Matrix(rows: lower.rows, columns: lower.rows) { lower[max($0, $1), min($0, $1)] }
    }
  }

  /// What a first step with α = 1 subtracts from weights of zero.
  public static func direction(
    _ optimizer: any Optimizer, _ parameters: [ParameterInfo], _ gradients: [[S]],
    _ layers: [String: LayerCapture<S>] = [:]
  ) throws -> [[S]] {
    var run = try OptimizerRun(optimizer, parameters)
    try run.step(gradients, layers)
    return run.values.map { $0.array.map { -$0 } }
  }
}

/// A dense layer "l" of random inputs and output gradients, and its mean gradient, all in [−1, 1).
public struct DenseLayer: Sendable {
  public let H, D: Matrix<Double>
  public let hasBias: Bool

  public init(samples: Int, inputs: Int, outputs: Int, hasBias: Bool = true, seed: UInt64 = 1) {
    var state = seed
    func random(_ rows: Int, _ columns: Int) -> Matrix<Double> {
      Matrix(rows: rows, columns: columns) { _, _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(Int64(bitPattern: state) >> 11) * 0x1p-52
      }
    }
    self.init(H: random(samples, inputs), D: random(samples, outputs), hasBias: hasBias)
  }

  /// - Parameters:
  ///   - H: inputs, one row a sample.
  ///   - D: gradients of the samples' losses by the outputs.
  ///   - hasBias: whether there is one.
  public init(H: Matrix<Double>, D: Matrix<Double>, hasBias: Bool = true) {
    (self.H, self.D, self.hasBias) = (H, D, hasBias)
  }

  public var parameters: [ParameterInfo] {
    [ParameterInfo(name: "w", shape: [D.columns, H.columns], role: .linearWeight, layer: "l")]
      + (hasBias ? [ParameterInfo(name: "b", shape: [D.columns], role: .bias, layer: "l")] : [])
  }

  public var layers: [String: LayerCapture<Double>] {
    [
      "l": LayerCapture(
        kind: .linear(hasBias: hasBias), inputs: H, outputGradients: .ofSum(D, terms: D.rows),
        sampleCount: D.rows)
    ]
  }

  /// H with the 1 of the bias.
  public var rows: Matrix<Double> {
    Matrix(rows: H.rows, columns: H.columns + (hasBias ? 1 : 0)) { $1 < H.columns ? H[$0, $1] : 1 }
  }

  /// The gradient of the mean loss by [w b].
  public var joined: Matrix<Double> {
    let sum = D.transposed.multiplied(by: rows)
    return Matrix(sum.array.map { $0 / Double(D.rows) }, rows: sum.rows, columns: sum.columns)
  }

  /// The gradients of the mean loss by each parameter.
  public var gradients: [[Double]] {
    let g = joined
    return [g[rows: 0..., columns: 0..<H.columns].array] + (hasBias ? [g.column(H.columns).array] : [])
  }

  /// [w b] of values for each parameter.
  public func joined(_ values: [[Double]]) -> [Double] {
    (0..<D.columns).flatMap { o in
      Array(values[0][o * H.columns..<(o + 1) * H.columns]) + (hasBias ? [values[1][o]] : [])
    }
  }

  /// The empirical Fisher matrix: the mean over the samples of v·vᵀ, v = vec(d·hᵀ) row by row.
  public var fisher: Matrix<Double> {
    let (h, n) = (rows, rows.columns)
    let V = Matrix<Double>(rows: D.rows, columns: D.columns * n) { D[$0, $1 / n] * h[$0, $1 % n] }
    let F = V.transposed.multiplied(by: V)
    return Matrix(F.array.map { $0 / Double(D.rows) }, rows: F.rows, columns: F.columns)
  }
}

/// G ⊗ A for the rows of a G.rows × A.rows matrix one after the other.
public func kronecker(_ G: Matrix<Double>, _ A: Matrix<Double>) -> Matrix<Double> {
  let n = A.rows
  return Matrix(rows: G.rows * n, columns: G.rows * n) { G[$0 / n, $1 / n] * A[$0 % n, $1 % n] }
}

/// The largest difference over the largest magnitude of `b`; infinite if they do not have the same length.
public func relativeDifference(_ a: [Double], _ b: [Double]) -> Double {
  a.count == b.count ? relativeError([a], [b]) : .infinity
}
