public import FisherLinearAlgebra
import FisherRuntime

/// A term of a sum over the elements of a matrix.
///
/// A type and not a closure: the compiler would not inline that into the loop.
public protocol RowTerm<Scalar> {
  associatedtype Scalar: KernelScalar
  /// Zero where x is; written with `*` and `+` like an ``UpdateRule``, and `@inline(__always)`.
  func value(_ x: Lanes<Scalar>, row: Lanes<Scalar>, column: Lanes<Scalar>) -> Lanes<Scalar>
}

/// Σⱼ term(xᵢⱼ, rowᵢ, columnⱼ) for every row i, eight terms at a time.
///
/// Up to 64 terms of a lane are added in the element type, then in double precision: the relative error stays near 64·u
/// for any width. The bits do not depend on the threads.
///
/// - Parameters:
///   - x: what is summed.
///   - row: a factor for each row; zeros if there is none.
///   - column: a factor for each column; zeros if there is none.
///   - threads: the most threads to use.
///   - term: what is summed of each element.
/// - Returns: as many sums as `x` has rows.
@inlinable @inline(__always)
public func rowSums<Term: RowTerm>(
  _ x: Matrix<Term.Scalar>, row: Matrix<Term.Scalar>? = nil, column: Matrix<Term.Scalar>? = nil, threads: Int,
  of term: Term
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
    Parallel.perform(sums.count, threads: Parallel.elementwise(sums.count * width, threads: threads)) { i in
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
func lanesSum<Term: RowTerm>(
  _ x: UnsafePointer<Term.Scalar>, _ range: Range<Int>, _ row: Lanes<Term.Scalar>,
  _ column: UnsafePointer<Term.Scalar>?, _ term: Term
) -> Lanes<Term.Scalar> {
  var (sum, j) = (Lanes<Term.Scalar>.zero, range.lowerBound)
  while j &+ 8 <= range.upperBound {
    sum += term.value(loadAhead(x + j), row: row, column: column.map { load($0 + j) } ?? .zero)
    j &+= 8
  }
  let rest = range.upperBound &- j
  if rest == 0 { return sum }
  return sum + term.value(load(x + j, rest), row: row, column: column.map { load($0 + j, rest) } ?? .zero)
}
