// Vector routines without sums: axpy, scal, iamax, and the copy of a matrix.

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// y ← α·x + y
  @_alwaysEmitIntoClient
  public static func axpy(_ alpha: Scalar, _ x: VectorPointer<Scalar>, _ y: MutableVectorPointer<Scalar>) {
    let a = broadcast(alpha)
    if x.stride == 1 && y.stride == 1 {
      var i = 0
      while i &+ lanes <= y.count {
        store(multiplyAdd(a, load(x.base + i), load(UnsafePointer(y.base + i))), to: y.base + i)
        i &+= lanes
      }
      if i == y.count { return }
      let rest = mask(first: y.count &- i)
      store(
        multiplyAdd(a, load(x.base + i, rest), load(UnsafePointer(y.base + i), rest)), to: y.base + i, rest)
    } else {
      for i in 0..<y.count { y[i] = multiplyAdd(a, broadcast(x[i]), broadcast(y[i]))[0] }
    }
  }

  /// x ← α·x; with α = 0, zeros, and x is not read.
  @_alwaysEmitIntoClient
  public static func scal(_ alpha: Scalar, _ x: MutableVectorPointer<Scalar>) {
    if alpha == 0 {
      for i in 0..<x.count { x[i] = 0 }
    } else if x.stride == 1 {
      for i in 0..<x.count { x.base[i] = alpha * x.base[i] }
    } else {
      for i in 0..<x.count { x[i] = alpha * x[i] }
    }
  }

  /// The first index of the largest |xᵢ|, the first NaN if there is one, −1 if x is empty.
  ///
  /// Stretches of 16 vectors are searched for a larger value first; the index is looked up only where there is one.
  @_alwaysEmitIntoClient
  public static func iamax(_ x: VectorPointer<Scalar>) -> Int {
    var best: Scalar = -1
    var index = -1
    var i = 0
    while i < x.count {
      let end = min(x.count, i &+ 16 &* lanes)
      if x.stride == 1 && end &- i == 16 &* lanes && !hasLarger(x.base + i, than: best) {
        i = end
        continue
      }
      while i < end {
        let value = x[i]
        if value.isNaN { return i }
        if abs(value) > best {
          best = abs(value)
          index = i
        }
        i &+= 1
      }
    }
    return index
  }

  /// Whether one of 16 vectors has a lane above `bound` in magnitude, or a NaN.
  @_alwaysEmitIntoClient @inline(__always)
  static func hasLarger(_ p: UnsafePointer<Scalar>, than bound: Scalar) -> Bool {
    let limit = broadcast(bound)
    var found = load(p) .!= load(p)
    for i in 0..<16 {
      let v = load(p + i &* lanes)
      // A NaN fails both comparisons.
      found = found .| .!((v .<= limit) .& (-v .<= limit))
    }
    return any(found)
  }

  /// Copies a matrix; both orders of traversal touch 16 bytes or more at a time where memory allows.
  @_alwaysEmitIntoClient
  public static func copy(_ source: MatrixPointer<Scalar>, to target: MutableMatrixPointer<Scalar>) {
    if target.columnStride != 1 && target.rowStride == 1 && target.columns > 0 {
      copyRows(source.transposed, to: target.transposed)
    } else {
      copyRows(source, to: target)
    }
  }

  /// Rows of the target are contiguous, if anything is. They are made like packed panels, a few cache lines at a time.
  @_alwaysEmitIntoClient @inline(__always)
  static func copyRows(_ source: MatrixPointer<Scalar>, to target: MutableMatrixPointer<Scalar>) {
    if target.columnStride != 1 {
      for i in 0..<source.rows {
        for j in 0..<source.columns { target[i, j] = source[i, j] }
      }
      return
    }
    if source.columnStride == 1 {
      for i in 0..<source.rows {
        let (from, to) = (source.base + i &* source.rowStride, target.base + i &* target.rowStride)
        var j = 0
        while j &+ lanes <= source.columns {
          store(load(from + j), to: to + j)
          j &+= lanes
        }
        if j < source.columns {
          let rest = mask(first: source.columns &- j)
          store(load(from + j, rest), to: to + j, rest)
        }
      }
      return
    }
    // Whole vectors of columns by transposition; what is left one by one.
    let width = source.rowStride == 1 ? source.columns / lanes &* lanes : 0
    var j = 0
    while j < width {
      transposePanel(
        source.base + j &* source.columnStride, count: lanes, laneStride: source.columnStride,
        depth: source.rows,
        to: target.base + j, stride: target.rowStride)
      j &+= lanes
    }
    for i in 0..<source.rows {
      for j in width..<source.columns { target[i, j] = source[i, j] }
    }
  }
}
