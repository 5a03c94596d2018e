public import FisherLinearAlgebra
import FisherRuntime

/// A factor that shall be inverted, with what is added to its diagonal before.
public struct DampedFactor<Scalar: KernelScalar>: Sendable {
  /// Symmetric; its lower triangle is read.
  public let factor: Matrix<Scalar>
  public let damping: Double
  /// What the inverse is multiplied by.
  public let scale: Double
  /// The names of the inverse: its slot and its owner.
  public let slot, owner: String

  public init(
    _ factor: Matrix<Scalar>, damping: Double, times scale: Double = 1, as slot: String, of owner: String
  ) {
    self.factor = factor
    self.damping = damping
    self.scale = scale
    self.slot = slot
    self.owner = owner
  }
}

extension Step {
  /// Stages c·(A + λ·I)⁻¹ of every factor, c its scale, both triangles: all in one go, the largest first, on all threads.
  ///
  /// A factor that is not positive definite in working precision keeps its former inverse, at first that of the mean of
  /// its diagonal times the identity, and is counted: `inverses kept`. n³ flops each.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func invert(_ factors: [DampedFactor<Scalar>]) {
    var inverses = factors.map {
      memory(for: $0.slot, of: $0.owner, rows: $0.factor.rows, columns: $0.factor.rows)
    }
    // Lower triangles are upper ones of the transposed factors.
    let calls = factors.indices.map { i in
      Potrf(
        source: factors[i].factor.withPointer { $0.transposed },
        target: inverses[i].withMutablePointer(discarding: true) { $0 }, triangle: .upper,
        absolute: Scalar(factors[i].damping))
    }
    var isBad = [Bool](repeating: false, count: calls.count)
    let backend = backend
    isBad.withUnsafeMutableBufferPointer { isBad in
      // Each task writes its own inverse and its own outcome.
      nonisolated(unsafe) let (isBad, calls) = (isBad, calls)
      let costs = factors.map { Double($0.factor.rows) }.map { $0 * $0 * $0 }
      CostedTasks.perform(costs: costs, threads: threads) { i, threads in
        let outcome = backend.invertPositiveDefinite(calls[i], mirror: true, threads: threads)
        isBad[i] = outcome.firstBadPivot != nil
      }
    }
    withExtendedLifetime((factors, inverses)) {}
    for (i, factor) in factors.enumerated() {
      if isBad[i] {
        inverses[i] = tensor(factor.slot, of: factor.owner) ?? factor.scalarInverse
        count("inverses kept")
      } else if factor.scale != 1 {
        scal(alpha: Scalar(factor.scale), &inverses[i], on: backend)
      }
      set(factor.slot, of: factor.owner, to: inverses[i])
    }
  }
}

extension DampedFactor {
  /// c·I/(λ + the mean of the diagonal).
  fileprivate var scalarInverse: Matrix<Scalar> {
    let mean = meanDiagonal(factor)
    let value = Scalar(scale / (damping + (mean.isFinite ? mean : 0)))
    return Matrix(rows: factor.rows, columns: factor.rows) { $0 == $1 ? value : 0 }
  }
}
