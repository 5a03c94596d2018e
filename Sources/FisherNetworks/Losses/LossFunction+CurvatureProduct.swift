import FisherLinearAlgebra
import FisherRuntime

extension LossFunction {
  /// ∂²l/∂z²·ż of every row, times `scale`: how the gradients by the outputs move when these do.
  ///
  /// - Parameters:
  ///   - z: the outputs, a row for each loss.
  ///   - ż: their tangents.
  ///   - labels: which only say the mass of a distribution.
  ///   - rowWeights: how much each row counts; nil for 1.
  ///   - target: of the shape of `z`, overwritten.
  func curvatureProduct<S: KernelScalar>(
    _ z: MatrixPointer<S>, _ ż: MatrixPointer<S>, _ labels: Labels<S>, rowWeights: [Double]?,
    scale: Double, to target: MutableMatrixPointer<S>, on backend: any Backend
  ) {
    let n = z.columns
    switch self {
    case .squaredError:
      for i in 0..<z.rows * n { target.base[i] = S(scale * Double(ż.base[i])) }
    case .binaryCrossEntropy:
      for i in 0..<z.rows * n {
        let t = exp(-abs(Double(z.base[i])))
        target.base[i] = S(scale * t / ((1 + t) * (1 + t)) * Double(ż.base[i]))
      }
    case .softmaxCrossEntropy, .weightedCrossEntropy:
      backend.softmax(z, to: target, sums: nil)
      for row in 0..<z.rows {
        let weight = rowWeights?[row] ?? 1
        if weight == 0 {
          (target.base + row * n).update(repeating: 0, count: n)
          continue
        }
        Self.multiply(
          target.base + row * n, by: ż.base + row * n, n,
          times: weight * scale * labels.mass(row, columns: n))
      }
    }
  }

  /// p ← c·p ⊙ (ż − ⟨p, ż⟩)
  @specialized(where S == Float) @specialized(where S == Double)
  private static func multiply<S: KernelScalar>(
    _ p: UnsafeMutablePointer<S>, by ż: UnsafePointer<S>, _ n: Int, times c: Double
  ) {
    var mean = 0.0
    for j in 0..<n { mean += Double(p[j]) * Double(ż[j]) }
    for j in 0..<n { p[j] = S(c * Double(p[j]) * (Double(ż[j]) - mean)) }
  }
}

extension Labels {
  /// Σ q of a row: 1 for a class.
  fileprivate func mass(_ row: Int, columns n: Int) -> Double {
    guard case .values(let q) = self else { return 1 }
    return q.withPointer { q in (0..<n).reduce(0) { $0 + Double(q.base[row * n + $1]) } }
  }
}
