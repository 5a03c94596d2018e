public import FisherLinearAlgebra

/// The curvature of every sample's loss in the network's outputs, as a square root: Hₙ = Σᵣ mₙᵣ·mₙᵣᵀ.
///
/// Sent backward, the rows mₙᵣ give the exact Fisher matrix; see ``ExactFisher``. For the losses here it is the expected
/// square of the output gradient under the model's own labels, and the Hessian (Martens, JMLR 2020, section 9).
public struct OutputCurvature<Scalar: KernelScalar>: Sendable {
  /// m for each r: one row a sample, one column an output.
  public let factors: [Matrix<Scalar>]
  /// u, with ∂ℓₙ/∂zₙ = Σᵣ uₙᵣ·mₙᵣ: one row a sample, one column for each r.
  public let coefficients: Matrix<Double>

  /// Of softmax cross-entropy: H = diag(p) − p·pᵀ.
  ///
  /// With qᵣ = Σ_{j ≥ r} pⱼ, its Cholesky factor is mᵣ = √(pᵣ·qᵣ₊₁/qᵣ)·(eᵣ − Σ_{j > r} pⱼ/qᵣ₊₁·eⱼ): the last column is
  /// zero and left out, so the rows that are sent backward have full rank.
  ///
  /// - Parameters:
  ///   - p: the model's probabilities, one row a sample.
  ///   - r: ∂ℓₙ/∂zₙ = p − t, whose rows add up to zero.
  public static func softmax(_ p: Matrix<Scalar>, gradients r: Matrix<Scalar>) -> OutputCurvature {
    let classes = p.columns
    var factors = [Matrix<Scalar>](
      repeating: Matrix(rows: p.rows, columns: classes), count: max(0, classes - 1))
    var u = Matrix<Double>(rows: p.rows, columns: max(0, classes - 1))
    for n in 0..<p.rows {
      let p = p.row(n).array.map(Double.init)
      var q = p + [0]
      for j in (0..<classes).reversed() { q[j] = p[j] + q[j + 1] }
      var rest = r.row(n).array.map(Double.init)
      for c in factors.indices where p[c] > 0 && q[c + 1] > 0 {
        let diagonal = (p[c] * (q[c + 1] / q[c])).squareRoot()
        u[n, c] = rest[c] / diagonal
        factors[c][n, c] = Scalar(diagonal)
        for j in c + 1..<classes {
          factors[c][n, j] = Scalar(-diagonal * (p[j] / q[c + 1]))
          rest[j] += u[n, c] * diagonal * (p[j] / q[c + 1])
        }
      }
    }
    return OutputCurvature(factors: factors, coefficients: u)
  }

  /// Of independent outputs: m = √h·e for each, with h the second derivative of its loss.
  ///
  /// - Parameters:
  ///   - h: p·(1 − p) for binary cross-entropy, 1 for half the squared error; one row a sample.
  ///   - r: ∂ℓₙ/∂zₙ.
  public static func diagonal(_ h: Matrix<Scalar>, gradients r: Matrix<Scalar>) -> OutputCurvature {
    var u = Matrix<Double>(rows: h.rows, columns: h.columns)
    let factors = (0..<h.columns).map { c in
      var factor = Matrix<Scalar>(rows: h.rows, columns: h.columns)
      for n in 0..<h.rows where h[n, c] > 0 {
        factor[n, c] = h[n, c].squareRoot()
        u[n, c] = Double(r[n, c]) / Double(h[n, c]).squareRoot()
      }
      return factor
    }
    return OutputCurvature(factors: factors, coefficients: u)
  }
}

extension OutputCurvature {
  /// From rows of outputs to samples with `positions` rows each: the factors of one row are zero in the others.
  public func spread(over positions: Int) -> OutputCurvature {
    if positions == 1 { return self }
    let samples = coefficients.rows / positions
    var spread: [Matrix<Scalar>] = []
    var u = Matrix<Double>(rows: samples, columns: positions * factors.count)
    for t in 0..<positions {
      for (r, factor) in factors.enumerated() {
        let width = factor.columns
        var wide = Matrix<Scalar>(rows: samples, columns: positions * width)
        for n in 0..<samples {
          u[n, t * factors.count + r] = coefficients[n * positions + t, r]
          for j in 0..<width { wide[n, t * width + j] = factor[n * positions + t, j] }
        }
        spread.append(wide)
      }
    }
    return OutputCurvature(factors: spread, coefficients: u)
  }
}

extension OutputCurvature {
  /// Of losses in which row n counts wₙ times, given ∂(wₙ·ℓₙ)/∂zₙ as gradients: H becomes wₙ·Hₙ.
  public func weighted(_ w: [Double]) -> OutputCurvature {
    let factors = factors.map { factor in
      Matrix(rows: factor.rows, columns: factor.columns) { n, j in
        w[n] == 0 ? 0 : Scalar(Double(factor[n, j]) * w[n].squareRoot())
      }
    }
    let u = Matrix(rows: coefficients.rows, columns: coefficients.columns) { n, r in
      w[n] == 0 ? 0 : coefficients[n, r] / w[n].squareRoot()
    }
    return OutputCurvature(factors: factors, coefficients: u)
  }
}
