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
  /// Stages c·(A + λ·I)⁻¹ of every factor, c its scale, both triangles: all in one go, the largest first, on all threads
  /// of all ranks.
  ///
  /// A factor that is not positive definite in working precision keeps its former inverse, at first that of the mean of
  /// its diagonal times the identity, and is counted: `inverses kept`. n³ flops each.
  ///
  /// - Throws: ``StepRefusal`` if the ranks cannot go on.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func invert(_ factors: [DampedFactor<Scalar>]) throws(StepRefusal) {
    var inverses = factors.map {
      [memory(for: $0.slot, of: $0.owner, rows: $0.factor.rows, columns: $0.factor.rows)]
    }
    let backend = backend
    let costs = factors.map { Double($0.factor.rows) }.map { $0 * $0 * $0 }
    let outcomes = try fill(&inverses, costs: costs) { i, inverse, threads in
      // Lower triangles are upper ones of the transposed factors.
      let call = Potrf(
        source: factors[i].factor.withPointer { $0.transposed },
        target: inverse[0].withMutablePointer(discarding: true) { $0 }, triangle: .upper,
        absolute: Scalar(factors[i].damping))
      let outcome = backend.invertPositiveDefinite(call, mirror: true, threads: threads)
      return outcome.firstBadPivot == nil ? 0 : 1
    }
    for (i, factor) in factors.enumerated() {
      if outcomes[i] != 0 {
        inverses[i][0] = tensor(factor.slot, of: factor.owner) ?? factor.scalarInverse
        count("inverses kept")
      } else if factor.scale != 1 {
        scal(alpha: Scalar(factor.scale), &inverses[i][0], on: backend)
      }
      set(factor.slot, of: factor.owner, to: inverses[i][0])
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
