package import FisherLinearAlgebra
import FisherRuntime

extension Matrix {
  /// pᵢ ← (vᵢ·vᵢᵀ + λ·I)⁻¹·mᵢ = (mᵢ − vᵢ·(vᵢᵀmᵢ)/(λ + vᵢᵀvᵢ))/λ for every row i (Sherman & Morrison 1950), pᵢ being the rows
  /// of this matrix. 8 flops for an element.
  ///
  /// - Parameters:
  ///   - m: the right-hand sides, a row each.
  ///   - v: as many rows of the same length.
  ///   - λ: positive.
  ///   - threads: the most threads to use; the bits do not depend on them.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  package mutating func assignRankOneSolutions(
    of m: Matrix, _ v: Matrix, damping λ: Scalar, threads: Int
  ) {
    require(
      m.rows == rows && m.columns == columns && v.rows == rows && v.columns == columns && isContiguous,
      "assignRankOneSolutions: M is \(m.rows)×\(m.columns), V is \(v.rows)×\(v.columns) and P is "
        + "\(rows)×\(columns); they must agree, and P must have no gaps")
    let (m, v, rows, columns) = (m.compacted(), v.compacted(), rows, columns)
    withMutablePointer(discarding: true) { P in
      m.withPointer { m in
        v.withPointer { v in
          let (p, m, v) = (P.base, m.base, v.base)
          Parallel.performRows(rows, columns: columns, threads: threads) { range in
            for i in range {
              solveRow(p + i * columns, m + i * columns, v + i * columns, λ, columns)
            }
          }
        }
      }
    }
  }
}

/// p ← (v·vᵀ + λ·I)⁻¹·m
@inline(__always)
private func solveRow<S: KernelScalar>(
  _ p: UnsafeMutablePointer<S>, _ m: UnsafePointer<S>, _ v: UnsafePointer<S>, _ λ: S, _ count: Int
) {
  var (vm, vv): (S, S) = (0, 0)
  for j in 0..<count {
    vm += v[j] * m[j]
    vv += v[j] * v[j]
  }
  let factor = vm / (λ + vv)
  for j in 0..<count { p[j] = (m[j] - factor * v[j]) / λ }
}
