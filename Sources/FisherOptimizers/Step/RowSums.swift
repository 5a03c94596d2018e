public import FisherLinearAlgebra

/// Σⱼ term(xᵢⱼ, rowᵢ, columnⱼ) for every row i, eight terms at a time.
///
/// Up to 64 terms of a lane are added in the element type, then in double precision: the relative error stays near 64·u
/// for any width. The bits do not depend on the threads.
///
/// - Parameters:
///   - row: a factor for each row; zeros if there is none.
///   - column: a factor for each column; zeros if there is none.
///   - term: zero where x is; written with `*` and `+` like an ``UpdateRule``.
/// - Returns: as many sums as `x` has rows.
@inlinable @inline(__always)
package func rowSums<S: KernelScalar>(
  _ x: Matrix<S>, row: Matrix<S>? = nil, column: Matrix<S>? = nil, threads: Int,
  _ term: (_ x: Lanes<S>, _ row: Lanes<S>, _ column: Lanes<S>) -> Lanes<S>
) -> [Double] {
  perRow(x, row, column, threads: threads) { x, range, row, column in
    lanesSum(x, range, row, column, term)
  }
}

/// For every row the sum over the lanes of what `part` makes of its stretches.
@usableFromInline
@specialized(where S == Float) @specialized(where S == Double)
package func perRow<S: KernelScalar>(
  _ x: Matrix<S>, _ row: Matrix<S>?, _ column: Matrix<S>?, threads: Int,
  _ part: (UnsafePointer<S>, Range<Int>, Lanes<S>, UnsafePointer<S>?) -> Lanes<S>
) -> [Double] {
  let (x, row, column) = (x.compacted(), row?.compacted(), column?.compacted())
  let width = x.columns
  var sums = [Double](repeating: 0, count: x.rows)
  // Each task writes its own element; the matrices outlive the tasks.
  sums.withUnsafeMutableBufferPointer { sums in
    let base = x.withPointer { $0.base }
    let rowFactors = row.map { $0.withPointer { $0.base } }
    let columnFactors = column.map { $0.withPointer { $0.base } }
    Parallel.perform(sums.count, threads: sums.count * width < 32768 ? 1 : threads) { i in
      let factor = rowFactors.map { Lanes<S>(repeating: $0[i]) } ?? .zero
      for start in stride(from: 0, to: width, by: 512) {
        let sum = part(base + i * width, start..<min(width, start + 512), factor, columnFactors)
        for lane in 0..<8 { sums[i] += Double(sum[lane]) }
      }
    }
  }
  withExtendedLifetime((x, row, column)) {}
  return sums
}

/// The terms of a stretch of one row, lane by lane. The lanes past the end hold zeros.
@inlinable @inline(__always)
func lanesSum<S: KernelScalar>(
  _ x: UnsafePointer<S>, _ range: Range<Int>, _ row: Lanes<S>, _ column: UnsafePointer<S>?,
  _ term: (Lanes<S>, Lanes<S>, Lanes<S>) -> Lanes<S>
) -> Lanes<S> {
  var (sum, j) = (Lanes<S>.zero, range.lowerBound)
  while j &+ 8 <= range.upperBound {
    sum += term(load(x + j), row, column.map { load($0 + j) } ?? .zero)
    j &+= 8
  }
  let rest = range.upperBound &- j
  return rest == 0 ? sum : sum + term(load(x + j, rest), row, column.map { load($0 + j, rest) } ?? .zero)
}
