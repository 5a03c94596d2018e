import FisherRuntime

// What optimizers do with symmetric blocks between two inversions. A row of a matrix of vectors belongs to each block.

extension InterleavedBatch {
  /// Aᵢ ← β·Bᵢ + α·Σₛ xᵢₛ·xᵢₛᵀ for every symmetric matrix Aᵢ, xᵢₛ being row i of sample s.
  ///
  ///     blocks.addOuterProducts(of: gradients, alpha: 1 - β, beta: β)       // a running average
  ///
  /// - Parameters:
  ///   - samples: matrices of one row for each matrix of the batch, n elements long.
  ///   - alpha: α.
  ///   - beta: β; with 0, the old matrices are not read.
  ///   - base: the Bᵢ; the Aᵢ themselves if not given.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func addOuterProducts(
    ofSamples samples: MatrixStack<Scalar>, alpha: Scalar, beta: Scalar = 1, to base: InterleavedBatch? = nil,
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) {
    requireThreads(threads, "addOuterProducts")
    requireSymmetric("addOuterProducts")
    base?.requireSymmetric("addOuterProducts")
    if let base { requireSameShape(base, "addOuterProducts") }
    require(
      samples.rows == count && samples.columns == order && samples.count >= 1,
      """
      addOuterProducts: there are \(samples.count) samples of \(samples.rows)×\(samples.columns) and \(count) \
      matrices of \(order)×\(order); each must have a row of \(order) for each
      """)
    if isEmpty { return }
    let source = base?.withReadOnlyOperand { $0 }
    samples.withFirst { first in
      withOperand { target in
        backend.addOuterProducts(
          BatchedOuterProducts(
            source: source ?? target, target: target, samples: first, sampleCount: samples.count,
            sampleStride: samples.stride, alpha: alpha, beta: beta), threads: threads)
      }
    }
    withExtendedLifetime(base) {}
  }

  /// Aᵢ ← β·Bᵢ + α·xᵢ·xᵢᵀ for every symmetric matrix Aᵢ, xᵢ being row i of `vectors`.
  ///
  /// See ``addOuterProducts(ofSamples:alpha:beta:to:on:threads:)``.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func addOuterProducts(
    of vectors: Matrix<Scalar>, alpha: Scalar, beta: Scalar = 1, to base: InterleavedBatch? = nil,
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) {
    addOuterProducts(
      ofSamples: MatrixStack(splitting: vectors, count: 1), alpha: alpha, beta: beta, to: base, on: backend,
      threads: threads)
  }

  /// yᵢ ← Aᵢ·xᵢ for every symmetric matrix Aᵢ, xᵢ and yᵢ being rows i of the two matrices.
  ///
  /// - Parameters:
  ///   - vectors: a row for each matrix of the batch, n elements long.
  ///   - products: shaped like `vectors`.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func multiply(
    _ vectors: Matrix<Scalar>, into products: inout Matrix<Scalar>,
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) {
    requireThreads(threads, "multiply")
    requireSymmetric("multiply")
    require(
      vectors.rows == count && vectors.columns == order && products.rows == count
        && products.columns == order,
      """
      multiply: x is \(vectors.rows)×\(vectors.columns), y is \(products.rows)×\(products.columns) and there are \
      \(count) matrices of \(order)×\(order); x and y must have a row of \(order) for each
      """)
    if isEmpty { return }
    vectors.withPointer { x in
      products.withMutablePointer(discarding: true) { y in
        withReadOnlyOperand {
          backend.multiply(BatchedProducts(matrices: $0, x: x, y: y), threads: threads)
        }
      }
    }
  }

  private func requireSymmetric(_ operation: StaticString) {
    require(
      storage == .symmetric, "\(operation): the matrices are kept in full; they must be kept as symmetric")
  }
}
