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
              case .rows: evaluate(Multiple(factors[i]), source, nil, target, columns)
              case .columns: evaluate(Hadamard(), source, factors, target, columns)
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

/// α·x
private struct Multiple<Scalar: KernelScalar>: PairFunction {
  let α: Scalar

  init(_ α: Scalar) { self.α = α }

  @inline(__always)
  func value(_ x: Lanes<Scalar>, _: Lanes<Scalar>) -> Lanes<Scalar> { α * x }
}
