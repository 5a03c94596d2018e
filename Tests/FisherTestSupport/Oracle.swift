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
    (rows, columns, depth) = (a.rows, b.columns, a.columns)
    let lanes = SplitColumns(b)
    var (high, low, magnitude): ([Double], [Double], [Double]) = ([], [], [])
    high.reserveCapacity(rows * columns)
    low.reserveCapacity(rows * columns)
    magnitude.reserveCapacity(rows * columns)
    for i in 0..<rows {
      let row = SplitRow((0..<depth).map { Double(a[i, $0]) })
      for block in 0..<(columns + 3) / 4 {
        let (sum, rest, gauge) = lanes.product(row, block, isExact: MemoryLayout<S>.size == 4)
        for lane in 0..<min(4, columns - 4 * block) {
          high.append(sum[lane])
          low.append(rest[lane])
          magnitude.append(gauge[lane])
        }
      }
    }
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

  /// α·A·B + β·C for all elements, C in row-major order, with the bound of each: the same for every backend and layout.
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func expected<S: KernelScalar>(alpha: S, beta: S, old: [S]) -> Expected {
    var result = Expected(columns: columns)
    let (alpha, beta) = (Double(alpha), Double(beta))
    for at in 0..<rows * columns {
      let old = beta == 0 ? 0 : Double(old[at])
      let (product, scaled) = (alpha * high[at], beta * old)
      let productError = (-product).addingProduct(alpha, high[at]) + alpha * low[at]
      let scaledError = (-scaled).addingProduct(beta, old)
      let (total, totalError) = twoSum(product, scaled)
      result.high.append(total)
      result.low.append(productError + scaledError + totalError)
      let gauge = alpha.magnitude * magnitude[at] + scaled.magnitude
      result.bounds.append(Double(depth + 3) * S.unitRoundoff * gauge)
    }
    return result
  }

  /// What a product must be, to twice the precision of `Double`, and by how much an element may differ.
  public struct Expected {
    let columns: Int
    fileprivate(set) var high: [Double] = []
    fileprivate(set) var low: [Double] = []
    fileprivate(set) var bounds: [Double] = []

    init(columns: Int) { self.columns = columns }

    /// The first element of C that errs by more than its bound, NaN included.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public func firstError<S: KernelScalar>(in c: MutableMatrixPointer<S>) -> (row: Int, column: Int)? {
      for i in 0..<c.rows {
        for j in 0..<c.columns {
          let at = i * columns + j
          let error = (Double(c[i, j]) - high[at]) - low[at]
          if !(error.magnitude <= bounds[at]) { return (i, j) }
        }
      }
      return nil
    }
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

/// Numbers and their halves: x = high + low, each of at most 26 bits, so that products of halves are exact (T. J. Dekker,
/// 1971). It works without fused multiply-add, four numbers at a time.
private struct SplitRow {
  let whole, high, low: [Double]
  /// Neither a half nor a product of halves can over- or underflow.
  let isModerate: Bool

  init(_ whole: [Double]) {
    self.whole = whole
    high = whole.map { x in
      let shifted = 134_217_729 * x
      return shifted - (shifted - x)
    }
    low = zip(whole, high).map { $0 - $1 }
    isModerate = whole.allSatisfy { $0 == 0 || ($0.magnitude < 0x1p400 && $0.magnitude > 0x1p-400) }
  }
}

/// The columns of a matrix, four side by side, the last ones filled up with zeros.
private struct SplitColumns {
  let depth: Int
  let elements: SplitRow

  init<S: KernelScalar>(_ b: MatrixPointer<S>) {
    depth = b.rows
    elements = SplitRow(packed(b))
  }

  /// The product of a row with four columns: the sums, their errors, and the sums of magnitudes.
  ///
  /// - Parameter isExact: no product of two elements rounds, because their precision is less than half of `Double`'s.
  func product(_ row: SplitRow, _ block: Int, isExact: Bool) -> (SIMD4<Double>, SIMD4<Double>, SIMD4<Double>)
  {
    var (sum, rest, gauge) = (SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>())
    let isModerate = row.isModerate && elements.isModerate
    elements.whole.withUnsafeBufferPointer { whole in
      elements.high.withUnsafeBufferPointer { high in
        elements.low.withUnsafeBufferPointer { low in
          for p in 0..<depth {
            let at = 4 * (block * depth + p)
            let (x, y) = (SIMD4(repeating: row.whole[p]), four(whole, at))
            let product = x * y
            let next = sum + product
            let part = next - sum
            rest += (sum - (next - part)) + (product - part)
            if !isExact {
              if isModerate {
                let (xh, xl) = (SIMD4(repeating: row.high[p]), SIMD4(repeating: row.low[p]))
                let (yh, yl) = (four(high, at), four(low, at))
                rest += (((xh * yh - product) + xh * yl) + xl * yh) + xl * yl
              } else {
                rest += (-product).addingProduct(x, y)
              }
            }
            sum = next
            gauge += product.replacing(with: -product, where: product .< 0)
          }
        }
      }
    }
    return (sum, rest, gauge)
  }

  @inline(__always)
  private func four(_ p: UnsafeBufferPointer<Double>, _ at: Int) -> SIMD4<Double> {
    UnsafeRawPointer(p.baseAddress! + at).loadUnaligned(as: SIMD4<Double>.self)
  }
}

@specialized(where S == Float)
@specialized(where S == Double)
private func packed<S: KernelScalar>(_ b: MatrixPointer<S>) -> [Double] {
  var result = [Double](repeating: 0, count: (b.columns + 3) / 4 * 4 * b.rows)
  for p in 0..<b.rows {
    for j in 0..<b.columns { result[4 * (j / 4 * b.rows + p) + j % 4] = Double(b[p, j]) }
  }
  return result
}

/// a + b as the rounded sum and its rounding error, exactly.
@inlinable @inline(__always)
public func twoSum(_ a: Double, _ b: Double) -> (sum: Double, error: Double) {
  let sum = a + b
  let part = sum - a
  return (sum, (a - (sum - part)) + (b - part))
}
