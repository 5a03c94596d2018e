import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginImprovedEmpiricalFisher
import FisherRuntime

/// A network of two linear layers with tanh between them and softmax cross-entropy, in double precision by plain loops.
struct Fixture {
  var W1: Matrix<Double>
  var b1: [Double]
  var W2: Matrix<Double>
  var b2: [Double]
  var X: Matrix<Double>
  var y: [Int]

  /// The numbers that the golden values belong to.
  static let golden = Fixture(
    W1: Matrix(rows: 4, columns: 3) { i, j in 0.8 * sin(Double(3 * i + j + 1)) },
    b1: (0..<4).map { 0.1 * cos(Double($0)) },
    W2: Matrix(rows: 3, columns: 4) { i, j in 0.8 * cos(Double(4 * i + j + 2)) },
    b2: (0..<3).map { 0.05 * Double($0 - 1) },
    X: Matrix(rows: 4, columns: 3) { n, j in sin(2 * Double(3 * n + j) + 0.5) }, y: [0, 2, 1, 2])

  static let drawn = [1, 2, 0, 0]

  static let parameters = [
    ParameterInfo(name: "W1", shape: [4, 3], role: .linearWeight, layer: "1"),
    ParameterInfo(name: "b1", shape: [4], role: .bias, layer: "1"),
    ParameterInfo(name: "W2", shape: [3, 4], role: .linearWeight, layer: "2"),
    ParameterInfo(name: "b2", shape: [3], role: .bias, layer: "2"),
  ]

  var values: [Matrix<Double>] {
    get { [W1, Matrix(b1, rows: 1, columns: b1.count), W2, Matrix(b2, rows: 1, columns: b2.count)] }
    set { (W1, b1, W2, b2) = (newValue[0], newValue[1].array, newValue[2], newValue[3].array) }
  }

  var hidden: Matrix<Double> {
    Matrix(rows: X.rows, columns: b1.count) { n, i in tanh(dot(X.row(n).array, W1.row(i).array) + b1[i]) }
  }

  var probabilities: Matrix<Double> {
    let a = hidden
    let z = Matrix<Double>(rows: X.rows, columns: b2.count) { n, i in
      dot(a.row(n).array, W2.row(i).array) + b2[i]
    }
    return Matrix(rows: z.rows, columns: z.columns) { n, i in
      exp(z[n, i]) / z.row(n).array.reduce(0) { $0 + exp($1) }
    }
  }

  var losses: [Double] {
    let p = probabilities
    return y.indices.map { -log(p[$0, y[$0]]) }
  }

  func residuals(_ labels: [Int]) -> Matrix<Double> {
    let p = probabilities
    return Matrix(rows: p.rows, columns: p.columns) { n, c in p[n, c] - (c == labels[n] ? 1 : 0) }
  }

  /// The captures of a backward pass from `r`, of the sum of the losses.
  func captures<Kind>(_ r: Matrix<Double>, _: Kind.Type) -> Captures<Double, Kind> {
    let a = hidden
    let back = r.multiplied(by: W2)
    let g1 = Matrix<Double>(rows: a.rows, columns: a.columns) { n, i in back[n, i] * (1 - a[n, i] * a[n, i]) }
    func layer(_ h: Matrix<Double>, _ g: Matrix<Double>) -> LayerCapture<Double> {
      LayerCapture(
        kind: .linear(hasBias: true), inputs: h, outputGradients: .ofSum(g, terms: y.count),
        sampleCount: y.count)
    }
    return Captures(["1": layer(X, g1), "2": layer(a, r)])
  }

  /// The batch of the data's labels, of the drawn ones, and of the exact Fisher matrix.
  var batch: PlainObjective<Double> {
    let r = residuals(y)
    let curvature = OutputCurvature.softmax(probabilities, gradients: r)
    return PlainObjective(
      loss: losses.reduce(0, +) / Double(y.count), sampleCount: y.count,
      captures: captures(r, Empirical.self),
      outputGradients: .ofSum(r, terms: y.count), sampled: captures(residuals(Fixture.drawn), Sampled.self),
      exact: ExactFisher(
        columns: curvature.factors.map { captures($0, Exact.self) }, coefficients: curvature.coefficients))
  }

  /// J or another matrix of rows, formed.
  func rows<Kind>(_ captures: Captures<Double, Kind>) -> [[Double]] {
    var J = [[Double]](repeating: [], count: captures.sampleCount)
    for parameter in Self.parameters {
      for (n, row) in naiveGradients(captures.layers[parameter.layer!]!, parameter).enumerated() {
        J[n] += row
      }
    }
    return J
  }

  /// Δ of an optimizer: what one step with α = 1 subtracts.
  func direction(_ type: any Optimizer.Type, _ settings: [String: SettingValue]) throws -> [Double] {
    var plain: [String: SettingValue] = ["lr": 1, "normalize": false, "dampingMode": "absolute"]
    if type == NaturalGradient.self { plain["trustRegion"] = 0 }
    let optimizer = try type.init(plain.merging(settings) { $1 })
    var driver = try OptimizerDriver<Double>(optimizer, parameters: Self.parameters)
    var values = values
    var gradients = values.map { Matrix<Double>(rows: $0.rows, columns: $0.columns) }
    _ = try driver.step(values: &values, gradients: &gradients, objective: batch)
    return zip(self.values, values).flatMap { zip($0.array, $1.array).map { $0 - $1 } }
  }

  /// √(ΔᵀFΔ)/|Δᵀg| for the exact Fisher matrix: the quality of a direction; smaller is better.
  func γ(_ Δ: [Double]) throws -> Double {
    let V = try batch.exactFisher().columns.flatMap(rows)
    let g = sum(rows(batch.captures!))
    return V.reduce(0) { $0 + dot($1, Δ) * dot($1, Δ) }.squareRoot() / abs(dot(Δ, g))
  }

  /// J·Δ.
  func reductions(_ Δ: [Double]) -> [Double] { rows(batch.captures!).map { dot($0, Δ) } }
}

func sum(_ rows: [[Double]]) -> [Double] {
  rows.dropFirst().reduce(rows[0]) { zip($0, $1).map { $0 + $1 } }
}

func length(_ v: [Double]) -> Double { dot(v, v).squareRoot() }
