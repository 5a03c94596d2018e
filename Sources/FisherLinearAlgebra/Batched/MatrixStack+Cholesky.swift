import FisherRuntime
import KernelTemplates

extension MatrixStack {
  /// Replaces each matrix by the Cholesky factor L of (itself + damping) = L·Lᵀ, all being symmetric positive definite.
  ///
  /// Only the lower triangles are read; above the diagonal of L are zeros. n³/3 flops a matrix. A matrix has the same bits
  /// alone and among any others.
  ///
  /// - Parameters:
  ///   - damping: what is added to the diagonal first.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  /// - Returns: which matrices are not positive definite. They stay as they were, and do not disturb the others.
  @discardableResult
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func factorCholesky(
    damping: Damping<Scalar> = .none, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) -> BatchOutcome {
    inPlace("factorCholesky", damping, transposed: false, threads) {
      backend.factorCholesky($0, threads: threads)
    }
  }

  /// Replaces each right-hand side B by the solution X of L·Lᵀ·X = B, these matrices being the Cholesky factors L.
  ///
  /// Only their lower triangles are read. 2n²·m flops for m columns.
  ///
  /// - Parameters:
  ///   - right: as many matrices as there are factors, n×m each.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func solveCholesky(
    _ right: inout MatrixStack, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) {
    requireThreads(threads, "solveCholesky")
    require(
      rows == columns && right.rows == rows && right.count == count,
      """
      solveCholesky: there are \(count) factors of \(rows)×\(columns) and \(right.count) right-hand sides of \
      \(right.rows)×\(right.columns); counts and rows must agree
      """)
    if count == 0 { return }
    let stride = stride
    withFirst { factor in
      right.withMutableFirst { first, rightStride, count in
        backend.solveCholesky(
          BatchedSolve(
            factor: factor, factorStride: stride, right: first, rightStride: rightStride, count: count),
          threads: threads)
      }
    }
  }

  /// log det of each (matrix + damping), all being symmetric positive definite; NaN for those that are not.
  ///
  /// By their Cholesky factors, which are made in scratch memory: n³/3 flops a matrix and n²·count elements of scratch.
  ///
  /// - Parameters:
  ///   - damping: what is added to the diagonal first.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func logDeterminants(
    damping: Damping<Scalar> = .none, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) -> [Scalar] {
    requireThreads(threads, "logDeterminants")
    require(rows == columns, "logDeterminants: the matrices are \(rows)×\(columns); they must be square")
    let (absolute, relative) = damping.checkedParts("logDeterminants")
    let (n, count, stride) = (rows, count, stride)
    if count == 0 { return [] }
    return [Scalar](unsafeUninitializedCapacity: count) { buffer, initialized in
      ThreadContext.current.withScratch(count * n * n, of: Scalar.self) { factors in
        ThreadContext.current.withScratch(count, of: Int32.self) { outcomes in
          withFirst { source in
            backend.factorCholesky(
              BatchedMatrices(
                source: source, sourceStride: stride,
                target: MutableMatrixPointer(factors, rows: n, columns: n, rowStride: n, columnStride: 1),
                targetStride: n * n, count: count, absolute: absolute, relative: relative,
                logDeterminants: buffer.baseAddress!, outcomes: outcomes), threads: threads)
          }
        }
      }
      initialized = count
    }
  }
}
