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

  /// The product that does not take part, because α = 0: its operands are not looked at.
  public init(absent rows: Int, _ columns: Int) {
    (self.rows, self.columns, depth) = (rows, columns, 0)
    high = Array(repeating: 0, count: rows * columns)
    (low, magnitude) = (high, high)
  }

  /// (AB)ᵢⱼ rounded to `Double`.
  public func value(_ i: Int, _ j: Int) -> Double { high[i * columns + j] + low[i * columns + j] }

  /// |got − activation(α·(AB)ᵢⱼ + β·c + bias)| divided by its bound; at most 1 for a sound routine.
  ///
  /// The bound is (k + 3)·u·gauge: k roundings for the sum, one each for α, β and the last addition. An
  /// epilogue adds two more. Where β is 0 the old value is not looked at. Infinite if `got` is not finite.
  @inlinable @inline(__always)
  public func errorRatio<S: KernelScalar>(
    of got: S, _ i: Int, _ j: Int, alpha: S, beta: S, old: S,
    epilogue: (bias: S, activation: Activation<S>)? = nil
  ) -> Double {
    let at = i * columns + j
    let (alpha, beta) = (Double(alpha), Double(beta))
    let old = beta == 0 ? 0 : Double(old)
    let bias = epilogue.map { Double($0.bias) } ?? 0
    let product = alpha * high[at]
    let productError = (-product).addingProduct(alpha, high[at]) + alpha * low[at]
    let scaled = beta * old
    let scaledError = (-scaled).addingProduct(beta, old)
    let (sum, sumError) = twoSum(product, scaled)
    let (total, totalError) = twoSum(sum, bias)
    var exact = (high: total, low: productError + scaledError + sumError + totalError)
    if let epilogue { exact = Self.apply(epilogue.activation, exact) }
    let error = (Double(got) - exact.high) - exact.low
    guard error != 0 else { return 0 }
    let gauge = alpha.magnitude * magnitude[at] + scaled.magnitude + bias.magnitude
    let roundings = Double(depth + 3 + (epilogue == nil ? 0 : 2))
    let ratio = error.magnitude / (roundings * S.unitRoundoff * gauge)
    return ratio.isNaN ? .infinity : ratio
  }

  /// An activation with slope at most 1: errors do not grow.
  @usableFromInline
  static func apply<S: KernelScalar>(
    _ activation: Activation<S>, _ x: (high: Double, low: Double)
  ) -> (high: Double, low: Double) {
    guard x.high <= 0 else { return x }
    switch activation {
    case .identity: return x
    case .relu: return (0, 0)
    case .leakyRelu(let slope):
      let product = Double(slope) * x.high
      return (product, (-product).addingProduct(Double(slope), x.high) + Double(slope) * x.low)
    }
  }
}

/// a + b as the rounded sum and its rounding error, exactly.
@inlinable @inline(__always)
public func twoSum(_ a: Double, _ b: Double) -> (sum: Double, error: Double) {
  let sum = a + b
  let part = sum - a
  return (sum, (a - (sum - part)) + (b - part))
}
