import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherRuntime

/// A parameter as a tensor: output × input for a dense layer, output × input × taps for a kernel of several taps, one axis
/// for a vector. Every axis has a matrix H of its contraction, and I, the inverse of its damped covariance.
struct TensorModes {
  let parameter: ParameterInfo
  /// n₁ … n_k.
  let axes: [Int]

  init(_ parameter: ParameterInfo) {
    self.parameter = parameter
    let taps = parameter.shape.dropFirst(2).reduce(1, *)
    axes =
      parameter.shape.count == 1
      ? parameter.shape : Array(parameter.shape.prefix(2)) + (taps > 1 ? [taps] : [])
  }

  /// The parameter as a matrix of its first axis; a vector is a column.
  var layer: KroneckerLayer {
    axes.count == 1
      ? KroneckerLayer(weight: nil, bias: parameter) : KroneckerLayer(weight: parameter, bias: nil)
  }

  /// The product of the axes before axis i, which are rows of blocks n × after.
  private func before(_ i: Int) -> Int { axes[..<i].reduce(1, *) }

  private func after(_ i: Int) -> Int { axes[(i + 1)...].reduce(1, *) }

  /// Hᵢ ← kept·Hᵢ + (1 − kept)·S₍ᵢ₎·S₍ᵢ₎ᵀ for every axis, in the lower triangle; without S they stay.
  func average<S: KernelScalar>(_ S: Matrix<S>?, keeping kept: Double, _ step: inout Step<S>) {
    for (i, n) in axes.enumerated() {
      let unfolding = S.map { self.unfolding($0, i) }
      let (backend, threads) = (step.backend, step.threads)
      step.average("H\(i)", of: parameter.name, order: n, addsSquares: true) { H in
        guard let unfolding else { return }
        syrk(
          alpha: .init(1 - kept), unfolding, beta: .init(kept), into: &H, on: backend, threads: threads)
      }
    }
  }

  /// S₍ᵢ₎: axis i as the rows, all others as columns; copied only for an axis in the middle.
  private func unfolding<S: KernelScalar>(_ X: Matrix<S>, _ i: Int) -> Matrix<S> {
    let (before, n, after) = (before(i), axes[i], after(i))
    if before == 1 { return X.reshaped(rows: n, columns: after) }
    if after == 1 { return X.reshaped(rows: before, columns: n).transposed }
    let rows = X.reshaped(rows: before * n, columns: after)
    var unfolding = Matrix<S>(rows: n, columns: before * after)
    for b in 0..<before {
      unfolding[rows: 0..., columns: b * after..<(b + 1) * after] =
        rows[rows: b * n..<(b + 1) * n, columns: 0...]
    }
    return unfolding
  }

  /// Hᵢ of every axis, with what makes (Uᵢ + ε·I)⁻¹ = d·(Hᵢ + ε·d·I)⁻¹ of it, d = c^(k−1)·Π_{j≠i} nⱼ.
  func dampedFactors<S: KernelScalar>(_ ε: Double, in step: borrowing Step<S>) -> [DampedFactor<S>] {
    var factors: [DampedFactor<S>] = []
    let count = Double(parameter.count)
    for (i, n) in axes.enumerated() {
      guard let H = step.latest("H\(i)", of: parameter.name) else { continue }
      let trace = (0..<n).reduce(0.0) { $0 + Double(H[$1, $1]) }
      // All traces are that of H₁, up to rounding; without any statistics every divisor will do.
      let mean = trace / count
      let d = mean > 0 && mean.isFinite ? cofactor(mean, axes.count) * count / Double(n) : 1
      factors.append(DampedFactor(H, damping: ε * d, times: d, as: "I\(i)", of: parameter.name))
    }
    return factors
  }

  /// Δ = M ×₁ I₁ … ×_k I_k.
  func direction<S: KernelScalar>(_ M: Matrix<S>, _ step: inout Step<S>) throws(StepRefusal) -> Matrix<S> {
    var X = M
    for (i, n) in axes.enumerated() {
      guard let inverse = step.latest("I\(i)", of: parameter.name), inverse.rows == n else {
        throw .failed(
          optimizer: TNT.record.name, place: parameter.name, reason: "its state has no I\(i) of order \(n)")
      }
      X = product(inverse, X, i, &step)
    }
    return X.reshaped(rows: M.rows, columns: M.columns)
  }

  /// X ×ᵢ A for a symmetric A.
  private func product<S: KernelScalar>(
    _ A: Matrix<S>, _ X: Matrix<S>, _ i: Int, _ step: inout Step<S>
  ) -> Matrix<S> {
    let (before, n, after) = (before(i), axes[i], after(i))
    let (backend, threads) = (step.backend, step.threads)
    let (rows, columns) = before > 1 && after == 1 ? (before, n) : (before * n, after)
    let X = X.reshaped(rows: rows, columns: columns)
    return step.temporary(rows: rows, columns: columns) { Y in
      if before == 1 {
        gemm(A, X, into: &Y, on: backend, threads: threads)
      } else if after == 1 {
        gemm(X, A, into: &Y, on: backend, threads: threads)
      } else {
        var blocks = MatrixStack(splitting: Y, count: before)
        gemm(
          MatrixStack(repeating: A, count: before), MatrixStack(splitting: X, count: before), into: &blocks,
          on: backend, threads: threads)
        Y = blocks.stacked
      }
    }
  }
}

/// c^(k−1) for c = x^(1/k), x > 0.
private func cofactor(_ x: Double, _ k: Int) -> Double { exp(log(x) * Double(k - 1) / Double(k)) }
