import FisherRuntime
public import KernelTemplates

extension Cholesky {
  /// The factor of A + X·Xᵀ, X n × k: 3·n² flops for each column of X, by plane rotations.
  ///
  /// Factoring anew takes n³/3 flops at a far higher rate: it pays for more than a few columns.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func rankUpdate(_ x: Matrix<Scalar>, on backend: any Backend = NativeBackend()) {
    requireRows(x)
    x.withPointer { x in
      upper.withMutablePointer { u in
        _ = backend.updateFactor(FactorUpdate(factor: u, triangle: .upper, x: x, sign: .plus))
      }
    }
  }

  /// The factor of A − X·Xᵀ, X n × k, by the method of LINPACK.
  ///
  /// It is as accurate as the difference deserves: errors grow with ‖A⁻¹‖ of the result (G. W. Stewart, The effects of
  /// rounding error on an algorithm for downdating a Cholesky factorization, 1979).
  ///
  /// - Throws: ``FactorizationError/notPositiveDefinite(pivot:)`` if A − X·Xᵀ has no factor; then this value is as it was.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func rankDowndate(
    _ x: Matrix<Scalar>, on backend: any Backend = NativeBackend()
  ) throws(FactorizationError) {
    requireRows(x)
    let (u, count) = (upper, corrections)
    try replaceFactor { (target) throws(FactorizationError) in
      let bad = x.withPointer { x in
        u.withPointer { u in
          target.withMutablePointer { target in
            copyTriangle(of: u, to: target)
            return backend.updateFactor(FactorUpdate(factor: target, triangle: .upper, x: x, sign: .minus))
          }
        }
      }
      if let bad { throw .notPositiveDefinite(pivot: bad) }
      return count
    }
  }

  private func requireRows(_ x: Matrix<Scalar>) {
    require(x.rows == order, "Cholesky: A is \(order)×\(order) and X is \(x.rows)×\(x.columns)")
  }
}

/// Factor ← the factor of A ± X·Xᵀ, where A is what `triangle` of the factor is the factor of; X n × k.
public struct FactorUpdate<S: KernelScalar> {
  public var factor: MutableMatrixPointer<S>
  public var triangle: Triangle
  public var x: MatrixPointer<S>
  public var sign: FloatingPointSign

  public init(
    factor: MutableMatrixPointer<S>, triangle: Triangle, x: MatrixPointer<S>, sign: FloatingPointSign
  ) {
    self.factor = factor
    self.triangle = triangle
    self.x = x
    self.sign = sign
  }

  /// The factor as an upper triangle.
  var upper: MutableMatrixPointer<S> { triangle == .upper ? factor : factor.transposed }
}
