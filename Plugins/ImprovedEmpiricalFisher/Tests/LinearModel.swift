import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginImprovedEmpiricalFisher
import FisherRuntime

/// Outputs z = X·Wᵀ without a bias, a loss for each sample, in double precision by plain loops.
struct LinearModel {
  /// What a loss is of one sample's outputs and target: its value, gradient and (diagonal) second derivative.
  enum Loss { case halfSquared, logistic }

  let X: Matrix<Double>
  let Y: Matrix<Double>
  let loss: Loss
  var W: Matrix<Double>

  init(_ loss: Loss, X: Matrix<Double>, Y: Matrix<Double>, W: Matrix<Double>) {
    (self.X, self.Y, self.loss, self.W) = (X, Y, loss, W)
  }

  var parameter: ParameterInfo {
    ParameterInfo(name: "W", shape: [W.rows, W.columns], role: .linearWeight, layer: "l")
  }

  var outputs: Matrix<Double> { X.multiplied(by: W.transposed) }

  /// ∂ℓₙ/∂zₙ.
  var residuals: Matrix<Double> {
    let z = outputs
    return Matrix(rows: z.rows, columns: z.columns) { n, c in prediction(z[n, c]) - Y[n, c] }
  }

  var losses: [Double] {
    precondition(loss == .halfSquared)
    return (0..<X.rows).map { n in residuals.row(n).array.reduce(0) { $0 + $1 * $1 / 2 } }
  }

  private func prediction(_ z: Double) -> Double { loss == .halfSquared ? z : 1 / (1 + exp(-z)) }

  func captures<Kind>(_ r: Matrix<Double>, _: Kind.Type) -> Captures<Double, Kind> {
    Captures([
      "l": LayerCapture(
        kind: .linear(hasBias: false), inputs: X, outputGradients: .ofSum(r, terms: X.rows),
        sampleCount: X.rows)
    ])
  }

  var batch: PlainObjective<Double> {
    let (r, z) = (residuals, outputs)
    let h = Matrix<Double>(rows: z.rows, columns: z.columns) { n, c in
      let p = prediction(z[n, c])
      return loss == .halfSquared ? 1 : p * (1 - p)
    }
    let curvature = OutputCurvature.diagonal(h, gradients: r)
    return PlainObjective(
      sampleCount: X.rows, captures: captures(r, Empirical.self), outputGradients: .ofSum(r, terms: X.rows),
      sampled: captures(r, Sampled.self),
      exact: ExactFisher(
        columns: curvature.factors.map { captures($0, Exact.self) }, coefficients: curvature.coefficients))
  }

  /// Δ of an optimizer: what one step with α = 1 subtracts.
  func direction(_ type: any Optimizer.Type, _ settings: [String: SettingValue] = [:]) throws -> [Double] {
    var plain: [String: SettingValue] = ["lr": 1, "normalize": false, "damping": 0]
    if type.record.hyperparameters.contains(where: { $0.name == "duplicates" }) { plain["duplicates"] = 1 }
    if type == NaturalGradient.self { plain["trustRegion"] = 0 }
    var driver = try OptimizerDriver<Double>(
      try type.init(plain.merging(settings) { $1 }), parameters: [parameter])
    var (values, gradients) = ([W], [Matrix<Double>(rows: W.rows, columns: W.columns)])
    _ = try driver.step(values: &values, gradients: &gradients, objective: batch)
    return zip(W.array, values[0].array).map { $0 - $1 }
  }

  func moved(by Δ: [Double], _ η: Double = 1) -> LinearModel {
    var model = self
    model.W = Matrix(zip(W.array, Δ).map { $0 - η * $1 }, rows: W.rows, columns: W.columns)
    return model
  }

  /// Σₙ xₙ·rₙᵀ.
  var gradient: [Double] { residuals.transposed.multiplied(by: X).array }

  /// One row a sample and output: what an output changes with the parameters.
  var outputJacobian: [[Double]] {
    (0..<X.rows).flatMap { n in
      (0..<W.rows).map { c in
        (0..<W.rows).flatMap { o in X.row(n).array.map { o == c ? $0 : 0 } }
      }
    }
  }
}

/// Numbers in [−1, 1).
func random(_ rows: Int, _ columns: Int, _ seed: UInt64) -> Matrix<Double> {
  var state = seed
  return Matrix(rows: rows, columns: columns) { _, _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(Int64(bitPattern: state) >> 11) * 0x1p-52
  }
}
