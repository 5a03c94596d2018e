/// A step s and what it changed in a gradient, y.
package struct CurvaturePair {
  package var s, y: [Double]

  package init(s: [Double], y: [Double]) {
    self.s = s
    self.y = y
  }

  /// sᵀy
  package var curvature: Double { product(s, y) }

  /// Double damping: sᵀy ≥ μ₁·yᵀHy by moving s towards H·y, then sᵀy ≥ μ₂·sᵀs by moving y towards s.
  ///
  /// Source: Goldfarb, Ren & Bahamou 2020, algorithm 2.
  ///
  /// - Parameters:
  ///   - μ1: below 1.
  ///   - μ2: at most 1: above, y would be moved beyond s.
  ///   - H: the product with H, positive definite.
  package mutating func damp(_ μ1: Double, _ μ2: Double, _ H: ([Double]) -> [Double]) {
    let Hy = H(y)
    let q = product(y, Hy)
    if curvature < μ1 * q {
      let θ = (1 - μ1) * q / (q - curvature)
      s = combination(θ, s, 1 - θ, Hy)
    }
    let square = product(s, s)
    if curvature < μ2 * square {
      let θ = (1 - μ2) * square / (square - curvature)
      y = combination(θ, y, 1 - θ, s)
    }
  }

  /// Whether H stays positive definite with it, by more than a little. False also for numbers that are not finite.
  ///
  /// - Parameter gradient: ‖d̄‖.
  package func isUsable(gradient: Double) -> Bool {
    curvature.isFinite && curvature > 1e-4 * product(s, s) * gradient
  }
}
