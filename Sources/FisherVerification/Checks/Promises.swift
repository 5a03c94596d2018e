import FisherLinearAlgebra
import FisherOptimizers
import FisherTraining

extension Check {
  /// The check of what the record promises to hold exactly.
  static func promise(_ promise: Promise) -> Check {
    Check(
      name: promise.name, meaning: "promised: \(promise.rawValue)",
      applies: { $0.promises[promise] != nil }
    ) { subject in
      let settings = subject.record.promises[promise] ?? [:]
      let (error, bound) = try promise.error(subject, settings)
      try demand(
        error <= bound,
        "\(described(settings)): relative error \(short(error)), at most \(short(bound)) is allowed")
      return "relative error \(short(error)), \(described(settings))"
    }
  }
}

extension Promise {
  /// `exact-least-squares`
  fileprivate var name: String {
    switch self {
    case .gradientInTheLimit: return "limit-large-damping"
    case .gradientOfOneSample: return "exact-one-sample"
    case .solvesLeastSquares: return "exact-least-squares"
    case .separatesDiagonalProblems: return "exact-diagonal-problem"
    case .affineInvariance: return "invariance-affine-maps"
    case .heavyBall: return "closed-form-heavy-ball"
    case .signDescent: return "closed-form-sign-descent"
    }
  }

  /// How far the method is from keeping the promise, and how far rounding and a finite limit may bring it.
  fileprivate func error(
    _ subject: Subject, _ settings: [String: SettingValue]
  ) throws -> (error: Double, bound: Double) {
    var generator = KeyedGenerator(Check.seed)
    func random(_ rows: Int, _ columns: Int) -> Matrix<Double> {
      Matrix(rows: rows, columns: columns) { _, _ in generator.uniform() }
    }
    switch self {
    case .gradientInTheLimit:
      let problem = try LinearProblem(X: random(8, 5), Y: random(8, 3), hasBias: subject.treatsBiases)
      let (Δ, g) = try problem.direction(subject, settings)
      return (relativeError([unit(Δ)], [unit(g)]), 1e-6)
    case .gradientOfOneSample:
      let problem = try LinearProblem(X: random(1, 5), Y: random(1, 1), hasBias: subject.treatsBiases)
      let (Δ, g) = try problem.direction(subject, settings)
      return (relativeError([unit(Δ)], [unit(g)]), 1e-11)
    case .solvesLeastSquares:
      let (X, Y) = (random(4, 6), random(4, 1))
      let (Δ, _) = try LinearProblem(X: X, Y: Y).direction(subject, settings)
      return (relativeError([outputs(X, Δ).map(-)], [Y.array]), 1e-9)
    case .separatesDiagonalProblems:
      let (d, Y) = (random(5, 1).array, random(5, 1))
      func direction(_ only: Int?) throws -> [Double] {
        let X = Matrix<Double>(rows: 5, columns: 5) { i, j in
          i == j && (only == nil || only == i) ? 1.5 + d[i] : 0
        }
        return try LinearProblem(X: X, Y: Y).direction(subject, settings).Δ
      }
      let alone = try (0..<5).map { try direction($0)[$0] }
      return (relativeError([try direction(nil)], [alone]), 1e-11)
    case .affineInvariance:
      let (X, Y) = (random(3, 5), random(3, 1))
      let A = Matrix<Double>(rows: 5, columns: 5) { i, j in (i == j ? 2 : 0) + generator.uniform() }
      let mapped = X.multiplied(by: A)
      let plain = outputs(X, try LinearProblem(X: X, Y: Y).direction(subject, settings).Δ)
      let other = outputs(mapped, try LinearProblem(X: mapped, Y: Y).direction(subject, settings).Δ)
      return (relativeError([other], [plain]), 1e-9)
    case .heavyBall:
      let α = 0.03125
      var μ = 0.0
      let settings = settings.merging(["lr": .number(α)]) { $1 }
      if case .geometric(let name)? = subject.record.constantResponse {
        μ = try subject.type.init(settings).settings.number(name)
      }
      return (try Self.pathError(subject, settings) { $0.heavyBall(α, μ, after: $1) }, 1e-11)
    case .signDescent:
      let α = 0.03125
      // Too short a way for a gradient to change its sign: all of them are above 0.
      return (
        try Self.pathError(subject, settings.merging(["lr": .number(α)]) { $1 }) { quadratic, t in
          quadratic.start.map { $0 - Double(t) * α }
        }, 1e-9
      )
    }
  }

  private func unit(_ x: [Double]) -> [Double] {
    let length = x.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return x.map { $0 / length }
  }

  /// X·Δ.
  private func outputs(_ X: Matrix<Double>, _ Δ: [Double]) -> [Double] {
    X.multiplied(by: Matrix(Δ, rows: Δ.count, columns: 1)).array
  }
}
