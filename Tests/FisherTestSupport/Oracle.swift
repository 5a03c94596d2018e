public import FisherLinearAlgebra
public import KernelTemplates

/// A·B to about twice the precision of `Double`, and the gauge by which errors are judged.
///
/// Products and sums carry their rounding errors along (TwoProduct and TwoSum), so the value is practically
/// exact and owes nothing to the backends. The gauge of element (i, j) is Σₚ |aᵢₚ||bₚⱼ|: any order of summation
/// in precision u errs by at most about k·u times that.
public struct Oracle {
  public let rows: Int
  public let columns: Int
  public let depth: Int
  @usableFromInline let high: [Double]
  @usableFromInline let low: [Double]
  @usableFromInline let magnitude: [Double]

  @specialized(where S == Float)
  @specialized(where S == Double)
  public init<S: KernelScalar>(_ a: MatrixPointer<S>, _ b: MatrixPointer<S>) {
    precondition(a.columns == b.rows, "\(a.rows)×\(a.columns) times \(b.rows)×\(b.columns)")
    var (high, low, magnitude): ([Double], [Double], [Double]) = ([], [], [])
    for i in 0..<a.rows {
      for j in 0..<b.columns {
        var (sum, rest, gauge) = (0.0, 0.0, 0.0)
        for p in 0..<a.columns {
          let (x, y) = (Double(a[i, p]), Double(b[p, j]))
          let product = x * y
          let productError = (-product).addingProduct(x, y)
          let (next, sumError) = twoSum(sum, product)
          sum = next
          rest += sumError + productError
          gauge += product.magnitude
        }
        high.append(sum)
        low.append(rest)
        magnitude.append(gauge)
      }
    }
    (rows, columns, depth) = (a.rows, b.columns, a.columns)
    (self.high, self.low, self.magnitude) = (high, low, magnitude)
  }

  /// |got − (α·(AB)ᵢⱼ + β·c + bias)| divided by its bound (k + 3)·u·gauge; at most 1 for a sound routine.
  ///
  /// Where α or β is 0 its term is absent, whatever the operands hold. Infinite if `got` is not finite.
  @inlinable @inline(__always)
  public func errorRatio<S: KernelScalar>(
    of got: S, _ i: Int, _ j: Int, alpha: S, beta: S, old: S, bias: S = 0
  ) -> Double {
    let at = i * columns + j
    let (alpha, beta) = (Double(alpha), Double(beta))
    let old = beta == 0 ? 0 : Double(old)
    let product = alpha * high[at]
    let productError = (-product).addingProduct(alpha, high[at]) + alpha * low[at]
    let scaled = beta * old
    let scaledError = (-scaled).addingProduct(beta, old)
    let (sum, sumError) = twoSum(product, scaled)
    let (total, totalError) = twoSum(sum, Double(bias))
    let error = (Double(got) - total) - (productError + scaledError + sumError + totalError)
    guard error != 0 else { return 0 }
    let gauge = alpha.magnitude * magnitude[at] + scaled.magnitude + Double(bias).magnitude
    let ratio = error.magnitude / (Double(depth + 3) * S.unitRoundoff * gauge)
    return ratio.isNaN ? .infinity : ratio
  }

  /// The value α·(AB)ᵢⱼ + β·c + bias rounded to `Double`.
  @inlinable
  public func value<S: KernelScalar>(_ i: Int, _ j: Int, alpha: S, beta: S, old: S, bias: S = 0) -> Double {
    let at = i * columns + j
    let product = Double(alpha) * high[at] + Double(alpha) * low[at]
    return product + (beta == 0 ? 0 : Double(beta) * Double(old)) + Double(bias)
  }
}

/// a + b as the rounded sum and its rounding error, exactly.
@inlinable @inline(__always)
public func twoSum(_ a: Double, _ b: Double) -> (sum: Double, error: Double) {
  let sum = a + b
  let part = sum - a
  return (sum, (a - (sum - part)) + (b - part))
}
