import FisherLinearAlgebra
import FisherRuntime

/// What is done to `count` blocks of order n that lie one below the other, between two inversions.
///
/// The loops run along the rows of a block, so that neighbouring elements share a vector register; each block belongs to
/// one task, so that bits do not depend on the threads.
struct SmallBlocks {
  let count: Int
  let order: Int

  /// Elements of the blocks of a task.
  private static var taskSize: Int { 32768 }

  /// Aᵢ ← β·Aᵢ + α·Σₛ x[s, i]·x[s, i]ᵀ, where x[s, i] is row s·count + i of `vectors`.
  func addOuterProducts<S: KernelScalar>(
    of vectors: Matrix<S>, samples: Int, alpha: S, beta: S, to blocks: inout Matrix<S>, threads: Int
  ) {
    let vectors = vectors.compacted()
    let n = order
    require(
      vectors.count == samples * count * n && blocks.count == count * n * n && blocks.isContiguous,
      "SmallBlocks: \(vectors.rows)×\(vectors.columns) vectors of \(samples) samples for \(count) blocks of \(n)"
    )
    vectors.withPointer { x in
      blocks.withMutablePointer { A in
        let (x, A) = (x.base, A.base)
        perform(threads) { i in
          let block = A + i * n * n
          if beta != 1 { for e in 0..<n * n { block[e] = beta == 0 ? 0 : beta * block[e] } }
          for s in 0..<samples {
            let v = x + (s * count + i) * n
            for r in 0..<n {
              let (row, factor) = (block + r * n, alpha * v[r])
              for c in 0..<n { row[c] += factor * v[c] }
            }
          }
        }
      }
    }
  }

  /// yᵢ = Aᵢ·xᵢ for symmetric blocks, xᵢ and yᵢ being rows.
  func products<S: KernelScalar>(of blocks: Matrix<S>, _ vectors: Matrix<S>, threads: Int) -> Matrix<S> {
    let (vectors, blocks) = (vectors.compacted(), blocks.compacted())
    let n = order
    require(
      vectors.count == count * n && blocks.count == count * n * n,
      "SmallBlocks: \(vectors.rows)×\(vectors.columns) vectors for \(count) blocks of order \(n)")
    var products = Matrix<S>(rows: count, columns: n)
    vectors.withPointer { x in
      blocks.withPointer { A in
        products.withMutablePointer { y in
          let (x, A, y) = (x.base, A.base, y.base)
          perform(threads) { i in
            let (v, sum, block) = (x + i * n, y + i * n, A + i * n * n)
            // Column r of a symmetric block is row r.
            for r in 0..<n {
              let (row, factor) = (block + r * n, v[r])
              for c in 0..<n { sum[c] += factor * row[c] }
            }
          }
        }
      }
    }
    return products
  }

  /// Carries out `body` for every block.
  @inline(__always)
  private func perform(_ threads: Int, _ body: (Int) -> Void) {
    let perTask = max(1, Self.taskSize / max(1, order * order))
    Parallel.perform((count + perTask - 1) / perTask, threads: threads) { task in
      for i in task * perTask..<min(count, (task + 1) * perTask) { body(i) }
    }
  }
}
