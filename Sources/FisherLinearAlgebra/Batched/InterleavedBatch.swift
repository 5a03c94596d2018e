import KernelTemplates

/// Many square matrices of one order, element by element side by side in the lanes of vectors: the form that batched
/// operations work on. Matrices that are updated and inverted again and again are best kept in it, because taking
/// them apart and together costs as much as inverting them.
///
/// Value semantics, storage is shared until a mutation. Rows and columns are those of the matrices; the order in memory
/// belongs to an instruction set and is nobody else's business. Memory: n²·count elements, rounded up to whole vectors.
public struct InterleavedBatch<Scalar: KernelScalar>: Sendable {
  /// The number of matrices.
  public let count: Int
  /// n, the rows and columns of each.
  public let order: Int
  /// Whose vectors the matrices lie in.
  public let instructionSet: InstructionSet
  /// A row for each group of as many matrices as a vector has lanes.
  private var groups: Matrix<Scalar>

  /// `count` identity matrices of order `order`.
  public init(count: Int, order: Int, instructionSet: InstructionSet = .best) {
    require(count >= 0 && order >= 0, "InterleavedBatch: \(count) matrices of order \(order) are not a shape")
    let lanes = Scalar._kernels(instructionSet).shape.lanes
    self.count = count
    self.order = order
    self.instructionSet = instructionSet
    groups = Matrix(rows: (count + lanes - 1) / lanes, columns: order * order * lanes)
    withGroups { group in
      for i in 0..<order { for lane in 0..<lanes { group[i * (order + 1) * lanes + lane] = 1 } }
    }
  }

  /// The matrices of a stack, which must be square.
  public init(_ stack: MatrixStack<Scalar>, instructionSet: InstructionSet = .best) {
    require(
      stack.rows == stack.columns,
      "InterleavedBatch: the matrices are \(stack.rows)×\(stack.columns); they must be square")
    self.init(count: stack.count, order: stack.rows, instructionSet: instructionSet)
    for i in 0..<count { self[i] = stack[i] }
  }

  /// Matrix `i`, from 0: a copy.
  public subscript(i: Int) -> Matrix<Scalar> {
    get {
      let (group, lane) = place(of: i)
      return groups.withPointer { groups in
        let elements = groups.base + group * groups.rowStride + lane
        return Matrix(rows: order, columns: order) { r, c in elements[(r * order + c) * lanes] }
      }
    }
    set {
      require(
        newValue.rows == order && newValue.columns == order,
        "InterleavedBatch: the matrix is \(newValue.rows)×\(newValue.columns) and the others are \(order)×\(order)"
      )
      let (order, lanes) = (order, lanes)
      let (group, lane) = place(of: i)
      newValue.withPointer { matrix in
        groups.withMutablePointer { groups in
          let elements = groups.base + group * groups.rowStride + lane
          for r in 0..<order { for c in 0..<order { elements[(r * order + c) * lanes] = matrix[r, c] } }
        }
      }
    }
  }

  private var lanes: Int { Scalar._kernels(instructionSet).shape.lanes }

  private func place(of i: Int) -> (group: Int, lane: Int) {
    require(
      i >= 0 && i < count, "InterleavedBatch: there is no matrix \(i) among \(count) of \(order)×\(order)")
    return (i / lanes, i % lanes)
  }

  private mutating func withGroups(_ body: (UnsafeMutablePointer<Scalar>) -> Void) {
    groups.withMutablePointer { groups in
      for g in 0..<groups.rows { body(groups.base + g * groups.rowStride) }
    }
  }

  /// Replaces each matrix by the inverse of (itself + damping), all being symmetric positive definite; only the lower
  /// triangles are read.
  ///
  /// About 17 ns each for 9 × 9 in single precision on one core with AVX-512. See
  /// ``MatrixStack/invertPositiveDefinite(damping:reading:on:threads:)``, whose results are bit for bit the same.
  ///
  /// - Returns: which matrices are not positive definite. They stay as they were.
  @discardableResult
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func invertPositiveDefinite(
    damping: Damping<Scalar> = .none, threads: Int = Threads.available
  ) -> BatchOutcome {
    requireThreads(threads, "invertPositiveDefinite")
    let (absolute, relative) = damping.parts
    require(
      absolute >= 0 && relative >= 0, "invertPositiveDefinite: damping is \(damping); it must be at least 0")
    let (n, count, kernels) = (order, count, Scalar._kernels(instructionSet))
    if n == 0 || count == 0 { return .complete }
    return groups.withMutablePointer { groups in
      ThreadContext.current.withScratch(count, of: Int32.self) { outcomes in
        let batch = InterleavedInverse(
          groups: groups, order: n, count: count, absolute: absolute, relative: relative, outcomes: outcomes)
        batch.run(kernels, threads: threads)
        return BatchOutcome(UnsafeBufferPointer(start: outcomes, count: count))
      }
    }
  }
}
