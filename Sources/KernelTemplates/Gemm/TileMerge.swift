// The ends of a product that do not fit the micro-kernel's write-back: tiles cut by the diagonal, results with general
// strides, and the epilogue. They see a tile that is in the first-level cache.

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// C ← α·S + β·C on the elements of the region, with S in rows of `stride`.
  ///
  /// The same roundings as the micro-kernel's own write-back.
  @_alwaysEmitIntoClient @inline(never)
  public static func mergeTile(
    _ s: UnsafePointer<Scalar>, _ stride: Int, _ c: MutableMatrixPointer<Scalar>, _ alpha: Scalar,
    _ beta: Scalar, _ region: Region, _ i0: Int, _ j0: Int
  ) {
    for i in 0..<c.rows {
      let (start, end) = region.columns(ofRow: i0 &+ i, from: j0, count: c.columns)
      let row = s + i &* stride
      var j = start
      if c.columnStride == 1 {
        let target = c.base + i &* c.rowStride
        while j < end {
          let these = mask(first: min(lanes, end &- j))
          store(
            scaledSum(alpha, load(row + j, these), beta) { load(UnsafePointer(target + j), these) },
            to: target + j, these)
          j &+= lanes
        }
      } else {
        while j < end {
          let sum = scaledSum(alpha, broadcast(row[j]), beta) { broadcast(c[i, j]) }
          c[i, j] = sum[0]
          j &+= 1
        }
      }
    }
  }

  /// α·s + β·c, where c is read only if β ≠ 0.
  @_alwaysEmitIntoClient @inline(__always)
  public static func scaledSum(_ alpha: Scalar, _ s: Vector, _ beta: Scalar, _ c: () -> Vector) -> Vector {
    if beta == 0 { return multiply(broadcast(alpha), s) }
    return multiplyAdd(broadcast(alpha), s, multiply(broadcast(beta), c()))
  }

  /// C ← activation(C + bias) ⊘ divisor on a tile whose first element is (i0, j0) of the whole product.
  @_alwaysEmitIntoClient @inline(never)
  public static func applyEpilogue(
    _ epilogue: Epilogue<Scalar>, to c: MutableMatrixPointer<Scalar>, _ i0: Int, _ j0: Int
  ) {
    if case .none = epilogue.bias, case .identity = epilogue.activation {
      return divide(c, by: epilogue.divisor.block(i0, j0))
    }
    applyActivation(epilogue, to: c, i0, j0)
    divide(c, by: epilogue.divisor.block(i0, j0))
  }

  /// C ← C ⊘ divisor, both beginning with the same element.
  @_alwaysEmitIntoClient @inline(__always)
  static func divide(_ c: MutableMatrixPointer<Scalar>, by divisor: Divisor<Scalar>) {
    switch divisor {
    case .none: return
    case .outer(let s, let t, let damping):
      for i in 0..<c.rows {
        divideRow(c, i, t.base, t.stride, times: broadcast(s[i]), plus: broadcast(damping))
      }
    case .elements(let s, let damping):
      for i in 0..<c.rows {
        divideRow(
          c, i, s.base + i &* s.rowStride, s.columnStride, times: one, plus: broadcast(damping))
      }
    }
  }

  /// Row i of C ← itself over factor·t + damping.
  @_alwaysEmitIntoClient @inline(__always)
  static func divideRow(
    _ c: MutableMatrixPointer<Scalar>, _ i: Int, _ t: UnsafePointer<Scalar>, _ step: Int,
    times factor: Vector, plus damping: Vector
  ) {
    var j = 0
    if c.columnStride == 1 && step == 1 {
      let row = c.base + i &* c.rowStride
      while j &+ lanes <= c.columns {
        let x = load(UnsafePointer(row + j))
        store(quotient(x, factor, load(t + j), damping), to: row + j)
        j &+= lanes
      }
    }
    while j < c.columns {
      c[i, j] = quotient(broadcast(c[i, j]), factor, broadcast(t[j &* step]), damping)[0]
      j &+= 1
    }
  }

  /// x / (factor·t + damping)
  @_alwaysEmitIntoClient @inline(__always)
  static func quotient(_ x: Vector, _ factor: Vector, _ t: Vector, _ damping: Vector) -> Vector {
    divide(x, multiplyAdd(factor, t, damping))
  }

  /// C ← activation(C + bias).
  @_alwaysEmitIntoClient @inline(__always)
  static func applyActivation(
    _ epilogue: Epilogue<Scalar>, to c: MutableMatrixPointer<Scalar>, _ i0: Int, _ j0: Int
  ) {
    var (row, column): (VectorPointer<Scalar>?, VectorPointer<Scalar>?) = (nil, nil)
    switch epilogue.bias {
    case .none: break
    case .row(let bias): row = bias
    case .column(let bias): column = bias
    }
    var (slope, isRelu): (Scalar, Bool) = (1, false)
    switch epilogue.activation {
    case .identity: break
    case .relu: isRelu = true
    case .leakyRelu(let given): slope = given
    }
    let isContiguous = c.columnStride == 1 && (row.map { $0.stride == 1 } ?? true)
    for i in 0..<c.rows {
      let bias = column.map { $0[i0 &+ i] } ?? 0
      let start = c.base + i &* c.rowStride
      var j = 0
      while isContiguous && j &+ lanes <= c.columns {
        let term = row.map { load($0.base + (j0 &+ j)) } ?? broadcast(bias)
        store(rectified(load(UnsafePointer(start + j)) + term, slope, isRelu), to: start + j)
        j &+= lanes
      }
      while j < c.columns {
        let value = c[i, j] + (row.map { $0[j0 &+ j] } ?? bias)
        c[i, j] = value <= 0 ? (isRelu ? 0 : slope * value) : value
        j &+= 1
      }
    }
  }

  /// x where x > 0, elsewhere slope·x, or 0 if that is asked for: 0·x would be NaN at −∞.
  @_alwaysEmitIntoClient @inline(__always)
  static func rectified(_ x: Vector, _ slope: Scalar, _ isRelu: Bool) -> Vector {
    // −0 becomes 0 in ReLU.
    if isRelu { return select(zero, x + zero, where: zero, exceeds: x) }
    return select(multiply(broadcast(slope), x), x, where: zero, exceeds: x)
  }

  /// C ← β·C on the region; with β = 0, zeros, and C is not read.
  @_alwaysEmitIntoClient
  public static func scale(_ c: MutableMatrixPointer<Scalar>, _ beta: Scalar, _ region: Region) {
    if beta == 1 { return }
    for i in 0..<c.rows {
      let (start, end) = region.columns(ofRow: i, from: 0, count: c.columns)
      for j in start..<max(start, end) { c[i, j] = beta == 0 ? 0 : beta * c[i, j] }
    }
  }
}
