import FisherRuntime
import KernelTemplates

/// `count` symmetric or lower triangular matrices of one order, each stored as its lower triangle: row by row without
/// gaps, n·(n + 1)/2 elements, one matrix after the other.
public struct PackedStack<Scalar: KernelScalar>: Sendable {
  /// A row for each matrix.
  public private(set) var elements: Matrix<Scalar>
  /// n, the rows and columns of each matrix.
  public let order: Int

  /// The number of matrices.
  public var count: Int { elements.rows }

  /// `count` matrices of zeros.
  public init(count: Int, order: Int) {
    require(count >= 0 && order >= 0, "PackedStack: \(count) matrices of order \(order) are not a shape")
    elements = Matrix(rows: count, columns: Packed.count(order))
    self.order = order
  }

  /// Triangles that lie in the rows of a matrix of n·(n + 1)/2 columns, without copying.
  public init(_ elements: Matrix<Scalar>, order: Int) {
    require(
      order >= 0 && elements.columns == Packed.count(order),
      "PackedStack: rows of \(elements.columns) elements are not triangles of order \(order)")
    self.elements = elements.columnStride == 1 ? elements : elements.compacted()
    self.order = order
  }

  /// The lower triangle of matrix `i` with zeros above it: a copy. Of a new matrix only the lower triangle is read.
  public subscript(i: Int) -> Matrix<Scalar> {
    get {
      require(i >= 0 && i < count, "PackedStack: there is no matrix \(i) among \(count) of order \(order)")
      return Matrix(rows: order, columns: order) { r, c in r >= c ? elements[i, Packed.index(r, c)] : 0 }
    }
    set {
      require(i >= 0 && i < count, "PackedStack: there is no matrix \(i) among \(count) of order \(order)")
      require(
        newValue.rows == order && newValue.columns == order,
        "PackedStack: the matrix is \(newValue.rows)×\(newValue.columns) and the others are \(order)×\(order)"
      )
      for r in 0..<order { for c in 0...r { elements[i, Packed.index(r, c)] = newValue[r, c] } }
    }
  }

  /// Replaces each matrix by the inverse of (itself + damping), all being symmetric positive definite; the bits are those
  /// of ``MatrixStack/invertPositiveDefinite(damping:reading:on:threads:)``.
  ///
  /// - Returns: which matrices are not positive definite. They stay as they were.
  @discardableResult
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func invertPositiveDefinite(
    damping: Damping<Scalar> = .none, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) -> BatchOutcome {
    inPlace("invertPositiveDefinite", damping, threads) {
      backend.invertPositiveDefinite($0, threads: threads)
    }
  }

  /// Replaces each matrix by the Cholesky factor L of (itself + damping), all being symmetric positive definite; the bits
  /// are those of ``MatrixStack/factorCholesky(damping:on:threads:)``.
  ///
  /// - Returns: which matrices are not positive definite. They stay as they were.
  @discardableResult
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func factorCholesky(
    damping: Damping<Scalar> = .none, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) -> BatchOutcome {
    inPlace("factorCholesky", damping, threads) { backend.factorCholesky($0, threads: threads) }
  }

  /// Replaces each right-hand side B by the solution X of L·Lᵀ·X = B, these matrices being the Cholesky factors L.
  ///
  /// - Parameters:
  ///   - right: as many matrices as there are factors, n×m each.
  ///   - backend: what carries it out.
  ///   - threads: the most threads to use, at least 1.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func solveCholesky(
    _ right: inout MatrixStack<Scalar>, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) {
    requireThreads(threads, "solveCholesky")
    require(
      right.rows == order && right.count == count,
      """
      solveCholesky: there are \(count) factors of order \(order) and \(right.count) right-hand sides of \
      \(right.rows)×\(right.columns); counts and rows must agree
      """)
    if count == 0 { return }
    let order = order
    elements.withPointer { elements in
      right.withMutableFirst { first, stride, count in
        let factor = MatrixPointer(
          elements.base, rows: order, columns: order, rowStride: order, columnStride: 1)
        backend.solveCholesky(
          BatchedSolve(
            factor: factor, factorStride: elements.rowStride, isPacked: true, right: first,
            rightStride: stride, count: count), threads: threads)
      }
    }
  }

  @inline(__always)
  private mutating func inPlace(
    _ operation: StaticString, _ damping: Damping<Scalar>, _ threads: Int,
    _ body: (BatchedMatrices<Scalar>) -> Void
  ) -> BatchOutcome {
    requireThreads(threads, operation)
    let (absolute, relative) = damping.checkedParts(operation)
    let (order, count) = (order, count)
    if count == 0 { return .complete }
    return elements.withMutablePointer { elements in
      ThreadContext.current.withScratch(count, of: Int32.self) { outcomes in
        let matrix = MutableMatrixPointer(
          elements.base, rows: order, columns: order, rowStride: order, columnStride: 1)
        body(
          BatchedMatrices(
            source: matrix.readOnly, sourceStride: elements.rowStride, target: matrix,
            targetStride: elements.rowStride, isPacked: true, count: count, absolute: absolute,
            relative: relative, outcomes: outcomes))
        return BatchOutcome(UnsafeBufferPointer(start: outcomes, count: count))
      }
    }
  }
}
