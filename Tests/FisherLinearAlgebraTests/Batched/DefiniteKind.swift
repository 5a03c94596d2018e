import FisherLinearAlgebra
import FisherTestSupport

/// The kinds of symmetric positive definite matrices that LAPACK's testers use.
enum DefiniteKind: String, CaseIterable {
  /// Condition of a few units.
  case random
  case diagonal
  /// Diagonal elements over twenty binary orders.
  case graded
  /// As nearly singular as can be without a pivot being lost to rounding.
  case nearlySingular
  /// Near overflow, so that products of two elements overflow.
  case huge
  /// Near underflow.
  case tiny

  /// Element (i, j) of a matrix of order n, as a function of random numbers in [−1, 1).
  func matrix<S: KernelScalar>(_ n: Int, _: S.Type, _ generator: inout Generator) -> [[S]] {
    let rank = self == .nearlySingular ? max(1, n / 2) : n
    let b = (0..<n).map { _ in (0..<rank).map { _ -> Double in generator.uniform() } }
    let shift = self == .nearlySingular ? 256 * Double(n) * S.unitRoundoff : 1
    var a = [[S]](repeating: [S](repeating: 0, count: n), count: n)
    for i in 0..<n {
      for j in 0...i {
        var sum = zip(b[i], b[j]).reduce(0) { $0 + $1.0 * $1.1 } / Double(n)
        if i == j { sum += shift }
        if self == .diagonal && i != j { sum = 0 }
        a[i][j] = S(sum) * scale(i, j, n)
        a[j][i] = a[i][j]
      }
    }
    return a
  }

  private func scale<S: KernelScalar>(_ i: Int, _ j: Int, _ n: Int) -> S {
    let largest = Int(S.greatestFiniteMagnitude.exponent)
    let power: Int
    switch self {
    case .graded: power = (20 * i / n) - 10 + (20 * j / n) - 10
    case .huge: power = largest - 16
    case .tiny: power = 16 - largest
    default: power = 0
    }
    return S(sign: .plus, exponent: S.Exponent(power), significand: 1)
  }
}

/// LAPACK's ratio ‖I − A·X‖ / (n·‖A‖·‖X‖·ε) in the 1-norm, with A and X given by their elements.
func inverseRatio<S: KernelScalar>(
  _ a: [[S]], _ x: (Int, Int) -> S
) -> Double {
  let n = a.count
  // Powers of two that bring both near 1: the products must not overflow.
  let largest = a.joined().reduce(0) { max($0, Double($1).magnitude) }
  let unit = Double(sign: .plus, exponent: largest.exponent, significand: 1)
  let left = a.map { $0.map { Double($0) / unit } }
  let right = (0..<n).map { i in (0..<n).map { j in Double(x(i, j)) * unit } }
  var (residuals, sumsA, sumsX) = ([Double](repeating: 0, count: n), [Double](), [Double]())
  sumsA = residuals
  sumsX = residuals
  for i in 0..<n {
    var row = [Double](repeating: 0, count: n)
    row[i] = 1
    for k in 0..<n { subtract(left[i][k], right[k], from: &row) }
    for j in 0..<n {
      residuals[j] += row[j].magnitude
      sumsA[j] += left[i][j].magnitude
      sumsX[j] += right[i][j].magnitude
    }
  }
  if (residuals + sumsX).contains(where: \.isNaN) { return .infinity }
  let norms = Double(n) * (sumsA.max() ?? 0) * (sumsX.max() ?? 0)
  let ratio = (residuals.max() ?? 0) / (norms * Double(S.ulpOfOne))
  return ratio.isNaN ? .infinity : ratio
}

/// LAPACK's ratio ‖A − L·Lᵀ‖ / (n·‖A‖·ε) in the 1-norm, with A given by its elements and L by those of its lower triangle.
func factorRatio<S: KernelScalar>(_ a: [[S]], _ l: (Int, Int) -> S) -> Double {
  let n = a.count
  let largest = a.joined().reduce(0) { max($0, Double($1).magnitude) }
  let unit = Double(sign: .plus, exponent: largest.exponent / 2 * 2, significand: 1)
  let factor = (0..<n).map { r in (0...r).map { Double(l(r, $0)) / unit.squareRoot() } }
  var (residual, norm) = (0.0, 0.0)
  for j in 0..<n {
    var (r, s) = (0.0, 0.0)
    for i in 0..<n {
      let x = Double(a[i][j]) / unit
      r += ((0...min(i, j)).reduce(x) { $0 - factor[i][$1] * factor[j][$1] }).magnitude
      s += x.magnitude
    }
    residual = r.isNaN ? .infinity : max(residual, r)
    norm = max(norm, s)
  }
  let ratio = residual / (Double(n) * norm * Double(S.ulpOfOne))
  return ratio.isNaN ? .infinity : ratio
}

/// row ← row − a·x
private func subtract(_ a: Double, _ x: [Double], from row: inout [Double]) {
  x.withUnsafeBufferPointer { x in
    row.withUnsafeMutableBufferPointer { row in
      for j in 0..<x.count { row[j] -= a * x[j] }
    }
  }
}
