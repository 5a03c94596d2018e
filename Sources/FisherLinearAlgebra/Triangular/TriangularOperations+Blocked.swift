import KernelTemplates

// What a backend without routines of its own does: blocks of 32 rows, each a product with the rows above it and plain
// loops over the triangle on the diagonal.

extension TriangularOperations where Self: Backend {
  public func trsm<S: KernelScalar>(_ call: Trsm<S>, threads: Int) {
    call.canonical.solveByBlocks(on: self, threads)
  }

  public func trmm<S: KernelScalar>(_ call: Trmm<S>, threads: Int) {
    call.canonical.multiplyByBlocks(on: self, threads)
  }
}

extension Triangular where Scalar: KernelScalar {
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  func solveByBlocks(on backend: any Backend, _ threads: Int) {
    if alpha == 0 { return clear(on: backend) }
    for k in 0..<blocks.parts {
      // X_k = L_kk⁻¹·(α·B_k − L_k,<k·X_<k)
      let part = rows(blocks.start(k), blocks.size(k))
      backend.gemm(
        Gemm(alpha: -1, a: part.left, b: part.above.readOnly, beta: alpha, c: part.block),
        threads: threads)
      for i in 0..<part.block.rows {
        for j in 0..<part.block.columns {
          var sum = part.block[i, j]
          for p in 0..<i { sum -= part.diagonal[i, p] * part.block[p, j] }
          part.block[i, j] = unitDiagonal ? sum : sum / part.diagonal[i, i]
        }
      }
    }
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  func multiplyByBlocks(on backend: any Backend, _ threads: Int) {
    if alpha == 0 { return clear(on: backend) }
    // From the last row up, because a row needs those above it as they were.
    for k in (0..<blocks.parts).reversed() {
      let part = rows(blocks.start(k), blocks.size(k))
      for i in (0..<part.block.rows).reversed() {
        for j in 0..<part.block.columns {
          var sum = unitDiagonal ? part.block[i, j] : part.diagonal[i, i] * part.block[i, j]
          for p in 0..<i { sum += part.diagonal[i, p] * part.block[p, j] }
          part.block[i, j] = alpha * sum
        }
      }
      backend.gemm(
        Gemm(alpha: alpha, a: part.left, b: part.above.readOnly, beta: 1, c: part.block),
        threads: threads)
    }
  }
}

extension Triangular {
  /// B ← 0
  func clear(on backend: any Backend) where Scalar: KernelScalar {
    backend.gemm(Gemm(alpha: 0, a: a, b: b.readOnly, beta: 0, c: b), threads: 1)
  }

  /// The rows of a canonical call in blocks.
  var blocks: Partition { Partition(b.rows, limit: 32) }

  /// The parts of a canonical call that belong to `count` rows: those of T left of the diagonal and at it, those of B
  /// above and here.
  @inline(__always)
  func rows(_ start: Int, _ count: Int) -> (
    left: MatrixPointer<Scalar>, diagonal: MatrixPointer<Scalar>, above: MutableMatrixPointer<Scalar>,
    block: MutableMatrixPointer<Scalar>
  ) {
    (
      a.block(start, 0, rows: count, columns: start), a.block(start, start, rows: count, columns: count),
      b.block(0, 0, rows: start, columns: b.columns), b.block(start, 0, rows: count, columns: b.columns)
    )
  }
}
