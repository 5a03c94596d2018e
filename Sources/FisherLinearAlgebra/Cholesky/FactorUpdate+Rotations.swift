// Updates and downdates one column of X after the other, by plane rotations of whole rows (J. J. Dongarra et al.,
// LINPACK Users' Guide, chapter 10).

import FisherRuntime

extension CholeskyOperations {
  public func updateFactor<S: KernelScalar>(_ call: FactorUpdate<S>) -> Int? { call.rotate() }
}

extension FactorUpdate {
  /// - Returns: the first pivot of the difference that is not above 0.
  @specialized(where S == Float) @specialized(where S == Double)
  func rotate() -> Int? {
    let (u, n) = (upper, factor.rows)
    return ThreadContext.current.withScratch(2 * n, of: S.self) { scratch in
      for column in 0..<x.columns {
        for i in 0..<n { scratch[i] = x[i, column] }
        if sign == .plus {
          Self.add(scratch, to: u)
        } else if let bad = Self.subtract(scratch, scratch + n, from: u) {
          return bad
        }
      }
      return nil
    }
  }

  /// Rotations from the top bring [U; xᵀ] to a triangle.
  private static func add(_ x: UnsafeMutablePointer<S>, to u: MutableMatrixPointer<S>) {
    for i in 0..<u.rows where x[i] != 0 {
      let (c, s) = rotation(u[i, i], x[i])
      rotate(u, row: i, x, c, s)
    }
  }

  /// With Uᵀ·a = x, rotations from the bottom bring (a, √(1 − aᵀa)) to (0, 1), and U with a row of zeros below it to the
  /// new factor with xᵀ below it.
  private static func subtract(
    _ a: UnsafeMutablePointer<S>, _ row: UnsafeMutablePointer<S>, from u: MutableMatrixPointer<S>
  ) -> Int? {
    let n = u.rows
    var rest: S = 1
    for i in 0..<n {
      a[i] /= u[i, i]
      for j in i + 1..<max(n, i + 1) { a[j] -= u[i, j] * a[i] }
      rest -= a[i] * a[i]
      if !(rest > 0) { return i }
    }
    var length = rest.squareRoot()
    for i in (0..<n).reversed() {
      let (c, s) = rotation(length, a[i])
      length = c * length + s * a[i]
      row[i] = 0
      rotate(u, row: i, row, c, -s)
    }
    return nil
  }

  /// (u, x) ← (c·u + s·x, c·x − s·u) from the diagonal on.
  @inline(__always)
  private static func rotate(
    _ u: MutableMatrixPointer<S>, row i: Int, _ x: UnsafeMutablePointer<S>, _ c: S, _ s: S
  ) {
    let (row, step) = (u.base + i * u.rowStride, u.columnStride)
    for j in i..<u.columns {
      let (p, q) = (row[j * step], x[j])
      row[j * step] = c * p + s * q
      x[j] = c * q - s * p
    }
  }

  /// c and s with (c·a + s·b, c·b − s·a) = (√(a² + b²), 0), without overflow; a > 0.
  @inline(__always)
  private static func rotation(_ a: S, _ b: S) -> (c: S, s: S) {
    let scale = max(abs(a), abs(b))
    let (p, q) = (a / scale, b / scale)
    let length = (p * p + q * q).squareRoot()
    return (p / length, q / length)
  }
}
