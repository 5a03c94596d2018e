package import FisherLinearAlgebra
import FisherRuntime

extension Matrix {
  /// zᵢⱼ ← rᵢ·xᵢⱼ or xᵢⱼ·cⱼ, z being this matrix, without gaps. The bits do not depend on the threads.
  ///
  /// - Parameters:
  ///   - x: shaped like this matrix.
  ///   - axis: whose factors are given: r for `rows`, c for `columns`.
  ///   - factors: as many as there are rows or columns.
  ///   - threads: the most threads to use.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  package mutating func assign(
    _ x: Matrix, scaling axis: MatrixAxis, by factors: [Scalar], threads: Int
  ) {
    require(
      x.rows == rows && x.columns == columns && factors.count == (axis == .rows ? rows : columns),
      "assign: X is \(x.rows)×\(x.columns), Z is \(rows)×\(columns) and there are \(factors.count) factors")
    let (x, columns) = (x.compacted(), columns)
    x.withPointer { x in
      factors.withUnsafeBufferPointer { factors in
        guard let factors = factors.baseAddress else { return }
        withMutablePointer(discarding: true) { z in
          require(z.columnStride == 1 && z.rowStride == columns, "assign: Z has gaps between its rows")
          Parallel.performRows(z.rows, columns: columns, threads: threads) { rows in
            for i in rows {
              let (source, target) = (x.base + i * columns, z.base + i * columns)
              switch axis {
              case .rows: scaleRow(source, to: target, columns) { _, _ in Lanes(repeating: factors[i]) }
              case .columns: scaleRow(source, to: target, columns) { load(factors + $0, $1) }
              }
            }
          }
        }
      }
    }
  }
}

/// The direction that a list of numbers goes along.
package enum MatrixAxis: Sendable { case rows, columns }

/// z ← x·f, f being the factors of `count` ≤ 8 elements from one on.
@inline(__always)
private func scaleRow<S: KernelScalar>(
  _ x: UnsafePointer<S>, to z: UnsafeMutablePointer<S>, _ count: Int,
  _ factors: (_ first: Int, _ count: Int) -> Lanes<S>
) {
  var j = 0
  while j &+ 8 <= count {
    store(loadAhead(x + j) * factors(j, 8), to: z + j)
    j &+= 8
  }
  if j == count { return }
  let rest = load(x + j, count &- j) * factors(j, count &- j)
  for lane in 0..<count &- j { z[j &+ lane] = rest[lane] }
}
