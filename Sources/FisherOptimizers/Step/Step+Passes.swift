public import FisherCurvature
public import FisherLinearAlgebra

// Passes over memory that an optimizer makes beside its updates. Verification counts their elements as those of updates.

extension Step {
  /// zᵢⱼ = f(xᵢⱼ, yᵢⱼ), for use within this step: a direction that a rule then sees in the place of the gradient.
  ///
  /// - Parameters:
  ///   - parameter: whose shape x, y and z have.
  ///   - f: the function.
  ///   - x: the first argument.
  ///   - y: the second one; nil for zeros.
  @inlinable @inline(__always)
  public mutating func direction<F: PairFunction<Scalar>>(
    of parameter: ParameterInfo, _ f: F, _ x: Matrix<Scalar>, _ y: Matrix<Scalar>? = nil
  ) -> Matrix<Scalar> {
    touched((y == nil ? 2 : 3) * parameter.count)
    let threads = threads
    return temporary(rows: parameter.rows, columns: parameter.columns) {
      $0.assign(f, of: x, y, threads: threads)
    }
  }

  /// Σᵢⱼ term(xᵢⱼ), in double precision; the bits do not depend on the threads.
  ///
  /// - Parameters:
  ///   - x: what is summed.
  ///   - term: what is summed of each element.
  @inlinable @inline(__always)
  public func sum<Term: RowTerm<Scalar>>(_ x: Matrix<Scalar>, of term: Term) -> Double {
    touched(x.count)
    return rowSums(x, threads: threads, of: term).reduce(0, +)
  }

  /// Σᵢⱼ xᵢⱼ·yᵢⱼ, in double precision; the bits do not depend on the threads.
  ///
  /// - Parameters:
  ///   - x: one matrix.
  ///   - y: of the same shape.
  public func sum(_ x: Matrix<Scalar>, times y: Matrix<Scalar>) -> Double {
    touched(x.count + y.count)
    return innerProduct(x, y, threads: threads)
  }

  /// Counts elements that are read or written.
  @usableFromInline
  func touched(_ count: Int) { audit?.touched(count) }
}
