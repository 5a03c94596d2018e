// P·A = L·U for a panel of m rows, each at most one vector. Step j with the largest |aᵢⱼ|, i ≥ j, brought to row j:
//
//     lᵢ ← aᵢⱼ/aⱼⱼ        aᵢ: ← aᵢ: − lᵢ·aⱼ:        i > j
//
// While rows are updated, the largest element of column j + 1 is found. A pivot that is 0 leaves its column as it is
// (the multipliers would be 0/0), and the caller finds it on the diagonal. NaN is never larger than anything: a NaN
// becomes a pivot only if nothing else is left, but its row stays NaN.

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// L and U in place of the panel; `pivots[j]` ≥ j is the row that was exchanged with row j.
  @inlinable
  public static func factorPivotedPanel(
    _ a: MutableMatrixPointer<Scalar>, pivots: UnsafeMutablePointer<Int>
  ) {
    let (m, n) = (a.rows, a.columns)
    var pivot = 0
    var largest: Scalar = -1
    for i in 0..<m {
      let magnitude = abs(a.base[i &* a.rowStride])
      if magnitude > largest { (largest, pivot) = (magnitude, i) }
    }
    for j in 0..<min(m, n) {
      if !(largest >= 0) { pivot = j }
      pivots[j] = pivot
      let row = a.base + j &* a.rowStride
      if pivot != j { swapRows(row, a.base + pivot &* a.rowStride, count: n) }
      (largest, pivot) = (-1, j &+ 1)
      if j &+ 1 < m && row[j] != 0 {
        eliminate(a, j, &largest, &pivot)
      } else {
        search(a, j &+ 1, &largest, &pivot)
      }
    }
  }

  /// Step j on the rows below; finds the next pivot.
  @inlinable @inline(__always)
  static func eliminate(
    _ a: MutableMatrixPointer<Scalar>, _ j: Int, _ largest: inout Scalar, _ pivot: inout Int
  ) {
    let n = a.columns
    let row = a.base + j &* a.rowStride
    let value = row[j]
    // The reciprocal of a subnormal number may overflow.
    let isSafe = abs(value) >= Scalar.leastNormalMagnitude
    let reciprocal = isSafe ? 1 / value : 0
    let all = mask(first: n)
    var u = load(UnsafePointer(row), all)
    for c in 0...j { u[c] = 0 }
    let next = min(j &+ 1, n &- 1)
    for i in j &+ 1..<a.rows {
      let target = a.base + i &* a.rowStride
      let l = isSafe ? target[j] * reciprocal : target[j] / value
      store(multiplyAdd(broadcast(-l), u, load(UnsafePointer(target), all)), to: target, all)
      target[j] = l
      let magnitude = abs(target[next])
      if magnitude > largest { (largest, pivot) = (magnitude, i) }
    }
  }

  /// Finds the pivot of column j in the rows from j on.
  @inlinable @inline(__always)
  static func search(
    _ a: MutableMatrixPointer<Scalar>, _ j: Int, _ largest: inout Scalar, _ pivot: inout Int
  ) {
    if j >= a.columns { return }
    var i = j
    while i < a.rows {
      let magnitude = abs(a.base[i &* a.rowStride &+ j])
      if magnitude > largest { (largest, pivot) = (magnitude, i) }
      i &+= 1
    }
  }

  @inlinable
  public static func swapRows(
    _ x: UnsafeMutablePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>, count: Int
  ) {
    var j = 0
    while j &+ lanes <= count {
      let (u, v) = (load(UnsafePointer(x + j)), load(UnsafePointer(y + j)))
      store(v, to: x + j)
      store(u, to: y + j)
      j &+= lanes
    }
    if j < count {
      let part = mask(first: count &- j)
      let (u, v) = (load(UnsafePointer(x + j), part), load(UnsafePointer(y + j), part))
      store(v, to: x + j, part)
      store(u, to: y + j, part)
    }
  }
}
