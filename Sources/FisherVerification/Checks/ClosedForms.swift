import FisherLinearAlgebra
import FisherOptimizers

/// ℓ(θ) = ½·θᵀHθ in one and in two dimensions, where the paths of simple methods have formulas.
struct Quadratic {
  /// The rows of H.
  let H: [[Double]]
  /// The weights before the first step.
  let start: [Double]

  static let all = [
    Quadratic(H: [[0.75]], start: [1.5]), Quadratic(H: [[1.25, 0.5], [0.5, 0.5]], start: [1, 2.5]),
  ]

  private func gradient(_ θ: [Double]) -> [Double] {
    H.map { row in zip(row, θ).reduce(0) { $0 + $1.0 * $1.1 } }
  }

  /// The weights after some steps.
  func path(_ subject: Subject, _ settings: [String: SettingValue], steps: Int) throws -> [[Double]] {
    let optimizer = try subject.type.init(settings)
    var driver = try OptimizerDriver<Double>(
      subject.mutation?.changed(optimizer) ?? optimizer,
      parameters: [ParameterInfo(name: "θ", shape: [start.count], role: .plain)], threads: 1)
    var values = [Matrix(start, rows: 1, columns: start.count)]
    return try (0..<steps).map { _ in
      var gradients = [Matrix(gradient(values[0].array), rows: 1, columns: start.count)]
      _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Double>())
      return values[0].array
    }
  }

  /// Eigenvalues and unit eigenvectors of H.
  private var modes: [(value: Double, vector: [Double])] {
    if H.count == 1 { return [(H[0][0], [1])] }
    let (mean, half) = ((H[0][0] + H[1][1]) / 2, (H[0][0] - H[1][1]) / 2)
    let radius = (half * half + H[0][1] * H[0][1]).squareRoot()
    return [mean + radius, mean - radius].map { value in
      let v = [H[0][1], value - H[0][0]]
      let length = (v[0] * v[0] + v[1] * v[1]).squareRoot()
      return (value, v.map { $0 / length })
    }
  }

  /// The weights after t steps of the heavy ball: in each mode a·r₊ᵗ + b·r₋ᵗ, where r₊ and r₋ are the roots of
  /// r² − (1 + μ − α·h)·r + μ, a + b is the start and a·r₊ + b·r₋ its step (1 − α·h).
  ///
  /// - Precondition: the roots are real and differ: (1 + μ − α·h)² > 4·μ in each mode.
  func heavyBall(_ α: Double, _ μ: Double, after t: Int) -> [Double] {
    var θ = start.map { _ in 0.0 }
    for (h, v) in modes {
      let first = zip(v, start).reduce(0) { $0 + $1.0 * $1.1 }
      let sum = 1 + μ - α * h
      let gap = (sum * sum - 4 * μ).squareRoot()
      let (high, low) = ((sum + gap) / 2, (sum - gap) / 2)
      let a = first * (1 - α * h - low) / (high - low)
      let x = a * high.raised(to: t) + (first - a) * low.raised(to: t)
      for i in θ.indices { θ[i] += x * v[i] }
    }
    return θ
  }
}

extension Promise {
  /// The largest error of a path against its formula.
  ///
  /// - Parameter formula: the weights after t steps.
  static func pathError(
    _ subject: Subject, _ settings: [String: SettingValue], _ formula: (Quadratic, Int) -> [Double]
  ) throws -> Double {
    let steps = 12
    return try Quadratic.all.reduce(0) { worst, quadratic in
      let path = try quadratic.path(subject, settings, steps: steps)
      return max(worst, relativeError(path, (1...steps).map { formula(quadratic, $0) }))
    }
  }
}
