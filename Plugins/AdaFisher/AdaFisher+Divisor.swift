import FisherLinearAlgebra
import FisherOptimizers
import FisherRuntime

/// F̃ of a parameter as row·column + λ; without row and column it is λ everywhere.
struct Divisor<Scalar: KernelScalar> {
  var row: Matrix<Scalar>?
  var column: Matrix<Scalar>?
  var λ: Double
}

extension ResolvedAdaFisher {
  /// F̃ from the factors of the parameter's layer, which may be those of this step.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  func divisor<Scalar: KernelScalar>(
    of parameter: ParameterInfo, _ step: borrowing Step<Scalar>
  ) -> Divisor<Scalar> {
    guard control != .lambda, let layer = parameter.layer,
      let H = step.latest("H", of: layer).map(scaled), let S = step.latest("S", of: layer).map(scaled),
      let (row, column) = Self.place(parameter, H, S)
    else { return Divisor(λ: λ) }
    if control == .geometricMean { return Divisor(λ: Self.geometricMean(H, S, λ)) }
    return Divisor(
      row: Matrix(row.map { Scalar($0) }, rows: 1, columns: row.count),
      column: Matrix(column.map { Scalar($0) }, rows: 1, columns: column.count), λ: λ)
  }

  private func scaled<Scalar: KernelScalar>(_ state: Matrix<Scalar>) -> [Double] {
    let state = state.array.map(Double.init)
    return scaling == .afterEMA ? minMax(state, ε: ε) : state
  }

  /// Which factor runs along which axis of the parameter; nil if their sizes do not fit it.
  private static func place(
    _ parameter: ParameterInfo, _ H: [Double], _ S: [Double]
  ) -> (row: [Double], column: [Double])? {
    let pair: (row: [Double], column: [Double])
    switch parameter.role {
    case .linearWeight, .convolutionWeight: pair = (S, Array(H.prefix(parameter.columns)))
    case .bias: pair = (Array(H.suffix(1)), S)
    case .normScale: pair = (Array(H.prefix(1)), S)
    case .normShift: pair = (Array(H.suffix(1)), S)
    case .embedding: pair = (H, S)
    case .plain: return nil
    }
    return pair.row.count == parameter.rows && pair.column.count == parameter.columns ? pair : nil
  }

  /// exp of the mean of log F̃ over a whole layer: the placebo that keeps F̃'s size and drops its structure.
  static func geometricMean(_ H: [Double], _ S: [Double], _ λ: Double) -> Double {
    var sum = 0.0
    for s in S {
      for h in H { sum += log(s * h + λ) }
    }
    return exp(sum / Double(max(1, H.count * S.count)))
  }
}

/// (v − min)/(max − min + ε). +∞ counts as 1 and −∞ as 0, as in the official code; a constant vector becomes zeros.
package func minMax(_ v: [Double], ε: Double) -> [Double] {
  let v = v.map { $0 == .infinity ? 1 : $0 == -.infinity ? 0 : $0 }
  guard let least = v.min(), let most = v.max() else { return [] }
  let range = most - least + ε
  return range > 0 ? v.map { ($0 - least) / range } : v.map { _ in 0 }
}
