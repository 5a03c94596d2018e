public import FisherLinearAlgebra
import FisherRuntime

/// A factor that shall be inverted, with what is added to its diagonal before.
public struct DampedFactor<Scalar: KernelScalar>: Sendable {
  /// Symmetric; its lower triangle is read.
  public let factor: Matrix<Scalar>
  public let damping: Double
  /// What the inverse is multiplied by.
  public let scale: Double
  /// The first inverse where there is none: so many times the identity; nil for c/(λ + the mean of the diagonal).
  public let fallback: Double?
  /// The names of the inverse: its slot and its owner.
  public let slot, owner: String

  public init(
    _ factor: Matrix<Scalar>, damping: Double, times scale: Double = 1, fallback: Double? = nil,
    as slot: String, of owner: String
  ) {
    self.factor = factor
    self.damping = damping
    self.scale = scale
    self.fallback = fallback
    self.slot = slot
    self.owner = owner
  }
}

extension Step {
  /// Stages c·(A + λ·I)⁻¹ of every factor, c its scale, both triangles, and the inverses of all blocks: everything in one
  /// go, the largest first, on all threads of all ranks.
  ///
  /// A factor or a block that is not positive definite in working precision keeps its former inverse, and is counted:
  /// `inverses kept`. At first that is the fallback times the identity; see ``DampedBlocks`` for that of blocks. n³ flops
  /// each.
  ///
  /// - Throws: ``StepRefusal`` if the ranks cannot go on.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func invert(
    _ factors: [DampedFactor<Scalar>], _ blocks: [DampedBlocks<Scalar>] = []
  ) throws(StepRefusal) {
    let tasks: [any DampedInverse<Scalar>] = factors + blocks
    var inverses = tasks.map { [memory(for: $0.slot, of: $0.owner, rows: $0.rows, columns: $0.columns)] }
    let former = tasks.map { state.tensors[key($0.slot, of: $0.owner)] }
    let backend = backend
    let failures = try fill(&inverses, costs: tasks.map(\.flops)) { i, inverse, threads in
      tasks[i].invert(into: &inverse[0], former: former[i], on: backend, threads: threads)
    }
    for (i, task) in tasks.enumerated() {
      if failures[i] > 0 { count("inverses kept", failures[i]) }
      set(task.slot, of: task.owner, to: inverses[i][0])
    }
  }
}

/// What a step inverts in one go with others.
protocol DampedInverse<Scalar> {
  associatedtype Scalar: KernelScalar
  /// The names of the inverse.
  var slot: String { get }
  var owner: String { get }
  /// The shape of what holds it.
  var rows: Int { get }
  var columns: Int { get }
  var flops: Double { get }

  /// Writes the inverse, or what stands for it where there is none: the former one, if that is known.
  ///
  /// - Returns: how many matrices have none.
  func invert(
    into inverse: inout Matrix<Scalar>, former: Matrix<Scalar>?, on backend: any Backend, threads: Int
  ) -> Int
}

extension DampedFactor: DampedInverse {
  var rows: Int { factor.rows }
  var columns: Int { factor.rows }
  var flops: Double { Double(rows) * Double(rows) * Double(rows) }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  func invert(
    into inverse: inout Matrix<Scalar>, former: Matrix<Scalar>?, on backend: any Backend, threads: Int
  ) -> Int {
    // Lower triangles are upper ones of the transposed factors.
    let call = Potrf(
      source: factor.withPointer { $0.transposed },
      target: inverse.withMutablePointer(discarding: true) { $0 }, triangle: .upper,
      absolute: Scalar(damping))
    if backend.invertPositiveDefinite(call, mirror: true, threads: threads).firstBadPivot != nil {
      inverse = former ?? scalarInverse
      return 1
    }
    if scale != 1 { scal(alpha: Scalar(scale), &inverse, on: backend) }
    return 0
  }

  private var scalarInverse: Matrix<Scalar> {
    let mean = meanDiagonal(factor)
    let value = Scalar(fallback ?? scale / (damping + (mean.isFinite ? mean : 0)))
    return Matrix(rows: rows, columns: rows) { $0 == $1 ? value : 0 }
  }
}
