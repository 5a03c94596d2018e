import FisherCurvature
public import FisherLinearAlgebra
import FisherRuntime

extension WeightSharing: SettingChoice {}

/// How a damping λ of a Kronecker product A ⊗ G is divided between its factors.
public enum DampingSplit: String, SettingChoice {
  /// π·√λ for A and √λ/π for G, where π² is the ratio of their mean eigenvalues: what (A + π·√λ·I) ⊗ (G + √λ/π·I) has
  /// beside A ⊗ G + λ·I is then least in a bound of its norm (Martens & Grosse 2015, section 6.3).
  case pi
  /// √λ for both.
  case even
}

extension DampingSplit {
  /// What is added to the diagonals of A and of G. If one of the traces is 0 or not finite, it is √λ for both.
  public func dampings<S: KernelScalar>(
    _ λ: Double, _ A: Matrix<S>, _ G: Matrix<S>
  ) -> (input: Double, output: Double) {
    let root = λ.squareRoot()
    if self == .even { return (root, root) }
    let π = (meanDiagonal(A) / meanDiagonal(G)).squareRoot()
    return π > 0 && π.isFinite ? (root * π, root / π) : (root, root)
  }
}

/// The mean eigenvalue of a symmetric matrix: its trace over its order, 0 without rows.
package func meanDiagonal<S: KernelScalar>(_ A: Matrix<S>) -> Double {
  (0..<A.rows).reduce(0.0) { $0 + Double(A[$1, $1]) } / Double(max(1, A.rows))
}
