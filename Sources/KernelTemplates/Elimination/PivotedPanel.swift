// P·A = L·U for a panel of m rows, each one vector. Step j with the largest |aᵢⱼ|, i ≥ j, brought to row j:
//
//     lᵢ ← aᵢⱼ/aⱼⱼ        aᵢ: ← aᵢ: − lᵢ·aⱼ:        i > j
//
// While rows are updated, the largest element of column j + 1 is found. Rows are loaded and stored as whole vectors: a load
// that follows a masked store waits until the store has left for the cache. A pivot that is 0 leaves its column as it is (the multipliers would be 0/0), and
// the caller finds it on the diagonal. NaN is never larger than anything: it becomes a pivot only if nothing else is left,
// but its row stays NaN.

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// L and U in place of the panel; `pivots[j]` ≥ j is the row that was exchanged with row j. Rows are a vector apart, at
  /// most `columns` of whose lanes mean something.
  @_alwaysEmitIntoClient
  public static func factorPivotedPanel(
    _ a: UnsafeMutablePointer<Scalar>, rows m: Int, columns n: Int, pivots: UnsafeMutablePointer<Int>
  ) {
    var pivot = largestRow(a, m, column: 0, from: 0)
    for j in 0..<min(m, n) {
      pivots[j] = pivot
      let row = a + j &* lanes
      let (u, v) = (load(UnsafePointer(a + pivot &* lanes)), load(UnsafePointer(row)))
      store(v, to: a + pivot &* lanes)
      store(u, to: row)
      if j &+ 1 == m { return }
      if u[j] == 0 {
        pivot = largestRow(a, m, column: min(j &+ 1, lanes &- 1), from: j &+ 1)
      } else {
        pivot = eliminate(a, m, j, u)
      }
    }
  }

  /// Step j on the rows below, `u` being row j; returns the next pivot.
  @_alwaysEmitIntoClient @inline(__always)
  static func eliminate(_ a: UnsafeMutablePointer<Scalar>, _ m: Int, _ j: Int, _ u: Vector) -> Int {
    let row = a + j &* lanes
    let value = row[j]
    // Nothing happens to the lanes up to j: they hold multipliers, and lane j gets one below.
    let tail = u - load(UnsafePointer(row), mask(first: j &+ 1))
    // The reciprocal of a subnormal number may overflow.
    let isSafe = abs(value) >= Scalar.leastNormalMagnitude
    let reciprocal = isSafe ? 1 / value : 0
    let next = min(j &+ 1, lanes &- 1)
    var largest: Scalar = -1
    var pivot = j &+ 1
    for i in j &+ 1..<m {
      let target = a + i &* lanes
      let l = isSafe ? target[j] * reciprocal : target[j] / value
      store(multiplyAdd(broadcast(-l), tail, load(UnsafePointer(target))), to: target)
      let magnitude = abs(target[next])
      target[j] = l
      if magnitude > largest { (largest, pivot) = (magnitude, i) }
    }
    return pivot
  }

  /// The row of the largest magnitude in a column, from row `first` on; `first` if there is none.
  @_alwaysEmitIntoClient @inline(__always)
  static func largestRow(_ a: UnsafeMutablePointer<Scalar>, _ m: Int, column: Int, from first: Int) -> Int {
    var largest: Scalar = -1
    var row = first
    for i in first..<m {
      let magnitude = abs(a[i &* lanes &+ column])
      if magnitude > largest { (largest, row) = (magnitude, i) }
    }
    return row
  }

  @_alwaysEmitIntoClient
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
