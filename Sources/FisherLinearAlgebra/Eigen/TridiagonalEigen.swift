import FisherRuntime
import KernelTemplates

// T = Z·Λ·Zᵀ by divide and conquer (J. J. M. Cuppen, Numer. Math. 36 (1981), 177–195; M. Gu, S. C. Eisenstat 1995):
//
//     T = ⎡ T₁    ⎤ + |β|·v·vᵀ,   v = (0 … 0, 1, sign β, 0 … 0)
//         ⎣    T₂ ⎦
//
// down to leaves of at most 32 rows, which the QL iteration solves. Eigenvectors are rows, so that those of T₁ and T₂ are
// blocks on the diagonal of Z and everything runs along memory. T, the poles and the roots are in double precision; only
// the vectors are in that of the matrix.

/// The tridiagonal eigenproblem.
struct TridiagonalEigen<S: KernelScalar> {
  /// In: the diagonal. Out: the eigenvalues in the order of the rows of Z.
  let d: UnsafeMutablePointer<Double>
  /// Beside the diagonal; destroyed.
  let e: UnsafeMutablePointer<Double>
  /// n × n, columns adjacent: becomes Zᵀ, eigenvectors in rows.
  let z: MutableMatrixPointer<S>
  /// The rows of Z by ascending eigenvalue.
  let order: UnsafeMutablePointer<Int>
  let kernels: any KernelSet<S>.Type
  let secularKernels: any KernelSet<Double>.Type
  let threads: Int

  static var leaf: Int { 32 }

  /// - Returns: whether all iterations converged.
  func run() -> Bool {
    let n = z.rows
    for i in 0..<n {
      kernels.scale(z.block(i, 0, rows: 1, columns: n), 0, .all)
      z[i, i] = 1
    }
    // The number of parts is a power of two, so that every merge joins two neighbours of one level.
    var parts = 1
    while (n + parts - 1) / parts > Self.leaf { parts *= 2 }
    let leaves = Partition(n, parts: parts)
    for part in 1..<max(parts, 1) {
      let i = leaves.start(part)
      d[i - 1] -= abs(e[i - 1])
      d[i] -= abs(e[i - 1])
    }
    return ThreadContext.current.withScratch(parts, of: Bool.self) { converged in
      Parallel.perform(parts, threads: n >= 128 ? threads : 1) { part in
        converged[part] = solveLeaf(leaves.start(part), leaves.size(part))
      }
      for part in 0..<parts where !converged[part] { return false }
      return parts == 1 || mergeAll(leaves, converged)
    }
  }

  /// Level by level; merges of one level are independent.
  private func mergeAll(_ leaves: Partition, _ converged: UnsafeMutablePointer<Bool>) -> Bool {
    let n = z.rows
    return ThreadContext.current.withScratch(2 * n * n, of: S.self) { scratch in
      ThreadContext.current.withScratch(8 * n, of: Double.self) { numbers in
        ThreadContext.current.withScratch(4 * n, of: Int.self) { indices in
          var width = 1
          while width < leaves.parts {
            let merges = leaves.parts / (2 * width)
            Parallel.perform(merges, threads: n >= 128 ? threads : 1) { merge in
              let low = leaves.start(2 * width * merge)
              let middle = leaves.start(2 * width * merge + width)
              let last = 2 * width * (merge + 1) - 1
              let high = leaves.start(last) + leaves.size(last)
              let join = TridiagonalMerge(
                parent: self, low: low, upper: middle - low, lower: high - middle, beta: e[middle - 1],
                scratch: scratch + 2 * low * n, numbers: numbers + 8 * low, indices: indices + 4 * low)
              converged[merge] = join.run()
            }
            for merge in 0..<merges where !converged[merge] { return false }
            width *= 2
          }
          return true
        }
      }
    }
  }

  /// Solves a leaf by QL, and orders its eigenvalues.
  private func solveLeaf(_ low: Int, _ count: Int) -> Bool {
    let block = z.block(low, low, rows: count, columns: count)
    let isGood = ThreadContext.current.withScratch(Self.leaf, of: PlaneRotation<S>.self) { rotations in
      QLIteration(d: d + low, e: e + low, count: count, z: block, rotations: rotations, kernels: kernels)
        .run()
    }
    let order = order + low
    for i in 0..<count {
      var place = i
      while place > 0 && d[low + order[place - 1]] > d[low + i] {
        order[place] = order[place - 1]
        place -= 1
      }
      order[place] = i
    }
    return isGood
  }
}
