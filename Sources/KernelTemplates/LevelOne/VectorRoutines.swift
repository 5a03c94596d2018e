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
  /// The largest of a stretch of vectors is found first, and its place only if it is larger than what came before.
  @_alwaysEmitIntoClient
  public static func iamax(_ x: VectorPointer<Scalar>) -> Int {
    var (best, index, i): (Scalar, Int, Int) = (-1, -1, 0)
    while x.stride == 1 && i &+ lanes <= x.count {
      let vectors = min(64, (x.count &- i) / lanes)
      let largest = largestMagnitude(x.base + i, vectors)
      if !(largest <= best) {
        (best, index) = (largest, i &+ place(of: largest, in: x.base + i))
        if best.isNaN { return index }
      }
      i &+= vectors &* lanes
    }
    while i < x.count {
      let value = abs(x[i])
      if value.isNaN { return i }
      if value > best { (best, index) = (value, i) }
      i &+= 1
    }
    return index
  }

  /// The largest magnitude among some vectors, NaN if one is.
  @_alwaysEmitIntoClient @inline(__always)
  static func largestMagnitude(_ p: UnsafePointer<Scalar>, _ vectors: Int) -> Scalar {
    let bound = -one
    var (peaks, isNaN) = (zero, zero)
    for i in 0..<vectors {
      let x = magnitude(load(p + i &* lanes))
      peaks = select(x, peaks, where: x, exceeds: peaks)
      // NaN exceeds nothing.
      isNaN = select(isNaN, one, where: x, exceeds: bound)
    }
    var largest: Scalar = 0
    for lane in 0..<lanes {
      if isNaN[lane] != 0 { return .nan }
      largest = max(largest, peaks[lane])
    }
    return largest
  }

  /// How far from `p` on the first element of this magnitude lies, of which there is one; of NaN the first NaN.
  @_alwaysEmitIntoClient @inline(__always)
  static func place(of magnitude: Scalar, in p: UnsafePointer<Scalar>) -> Int {
    var i = 0
    if magnitude.isNaN {
      while !p[i].isNaN { i &+= 1 }
    } else {
      while abs(p[i]) != magnitude { i &+= 1 }
    }
    return i
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
