import FisherRuntime
import KernelTemplates

// What optimizers do with symmetric blocks between two inversions. A row of a matrix of vectors belongs to each block.

extension InterleavedBatch {
  /// Aᵢ ← β·Aᵢ + α·Σₛ xᵢₛ·xᵢₛᵀ for every symmetric matrix Aᵢ, xᵢₛ being row i of sample s.
  ///
  ///     blocks.addOuterProducts(of: gradients, alpha: 1 - β, beta: β)       // a running average
  ///
  /// - Parameters:
  ///   - samples: matrices of one row for each matrix of the batch, n elements long.
  ///   - alpha: α.
  ///   - beta: β; with 0, the old matrices are not read.
  ///   - threads: the most threads to use, at least 1.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func addOuterProducts(
    ofSamples samples: MatrixStack<Scalar>, alpha: Scalar, beta: Scalar = 1,
    threads: Int = Threads.available
  ) {
    requireThreads(threads, "addOuterProducts")
    requireSymmetric("addOuterProducts")
    require(
      samples.rows == count && samples.columns == order,
      """
      addOuterProducts: a sample is \(samples.rows)×\(samples.columns) and there are \(count) matrices of \
      \(order)×\(order); it must have a row of \(order) for each
      """)
    if samples.count == 0 || count == 0 || order == 0 { return }
    let (n, count, kernels) = (order, count, Scalar._kernels(instructionSet))
    let stride = samples.stride
    samples.withFirst { first in
      withLanes { lanes in
        LaneOuterProducts(
          order: n, count: count, sampleCount: samples.count, sampleStride: stride, samples: first,
          alpha: alpha, beta: beta, target: lanes
        ).perform(kernels, threads: threads)
      }
    }
  }

  /// Aᵢ ← β·Aᵢ + α·xᵢ·xᵢᵀ for every symmetric matrix Aᵢ, xᵢ being row i of `vectors`.
  ///
  /// See ``addOuterProducts(ofSamples:alpha:beta:threads:)``.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func addOuterProducts(
    of vectors: Matrix<Scalar>, alpha: Scalar, beta: Scalar = 1, threads: Int = Threads.available
  ) {
    addOuterProducts(
      ofSamples: MatrixStack(splitting: vectors, count: 1), alpha: alpha, beta: beta, threads: threads)
  }

  /// yᵢ ← Aᵢ·xᵢ for every symmetric matrix Aᵢ, xᵢ and yᵢ being rows i of the two matrices.
  ///
  /// - Parameters:
  ///   - vectors: a row for each matrix of the batch, n elements long.
  ///   - products: shaped like `vectors`.
  ///   - threads: the most threads to use, at least 1.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func multiply(
    _ vectors: Matrix<Scalar>, into products: inout Matrix<Scalar>, threads: Int = Threads.available
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
    if count == 0 || order == 0 { return }
    let (n, count, kernels) = (order, count, Scalar._kernels(instructionSet))
    vectors.withPointer { x in
      products.withMutablePointer(discarding: true) { y in
        withReadOnlyLanes { lanes in
          LaneMultiply(
            order: n, count: count, matrices: lanes, x: .rows(reading: x), y: .rows(y)
          ).perform(kernels, threads: threads)
        }
      }
    }
  }

  private func requireSymmetric(_ operation: StaticString) {
    require(
      storage == .symmetric, "\(operation): the matrices are kept in full; they must be kept as symmetric")
  }
}
