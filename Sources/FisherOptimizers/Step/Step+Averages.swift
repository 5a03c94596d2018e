public import FisherLinearAlgebra

extension Step {
  /// Stages s ← α·x + β·s for a state tensor s that starts at zero: a momentum, or a running average.
  ///
  /// - Parameters:
  ///   - slot: the name of s.
  ///   - owner: whose state it is.
  ///   - β: what is kept.
  ///   - α: how much of `x` is added.
  ///   - x: of the shape of s.
  /// - Returns: the new s.
  @discardableResult @inlinable @inline(__always)
  public mutating func accumulate(
    _ slot: String, of owner: String, keeping β: Double, adding α: Double, of x: Matrix<Scalar>
  ) -> Matrix<Scalar> {
    accumulate(slot, of: owner, x, by: Combination(α, β))
  }

  /// Stages s ← α·x² + β·s, element by element; see ``accumulate(_:of:keeping:adding:of:)``.
  @discardableResult @inlinable @inline(__always)
  public mutating func accumulateSquares(
    _ slot: String, of owner: String, keeping β: Double, adding α: Double, of x: Matrix<Scalar>
  ) -> Matrix<Scalar> {
    accumulate(slot, of: owner, x, by: SquareCombination(α, β))
  }

  @inlinable @inline(__always)
  mutating func accumulate<F: PairFunction<Scalar>>(
    _ slot: String, of owner: String, _ x: Matrix<Scalar>, by f: F
  ) -> Matrix<Scalar> {
    let (former, threads) = (tensor(slot, of: owner), threads)
    return set(slot, of: owner, rows: x.rows, columns: x.columns) {
      $0.assign(f, of: x, former, threads: threads)
    }
  }
}
