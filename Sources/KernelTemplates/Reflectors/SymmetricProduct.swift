// y ← A·x for a symmetric A of which the lower triangle is read, rows contiguous. Four rows at a time: every element left
// of their diagonal block is loaded once and used twice,
//
//     yᵢ ← yᵢ + aᵢⱼ·xⱼ        yⱼ ← yⱼ + aᵢⱼ·xᵢ        j < i
//
// so that a product of n² multiply-adds reads n²/2 elements: A is far larger than the first-level cache.
// Error: |y − exact| ≤ n·u·|A|·|x|.

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// y ← what the elements of some rows of the lower triangle give to A·x, in the elements of y before the end of the
  /// rows; those after it are not written. Columns of A are adjacent.
  ///
  /// - Precondition: the number of rows is a multiple of four, unless they are the first.
  @_alwaysEmitIntoClient
  public static func multiplySymmetric(
    _ a: MatrixPointer<Scalar>, rows: Range<Int>, _ x: UnsafePointer<Scalar>,
    to y: UnsafeMutablePointer<Scalar>
  ) {
    for i in 0..<rows.upperBound { y[i] = 0 }
    // The odd rows come first, where they are shortest.
    let odd = rows.count & 3
    multiplyDiagonal(a.base, a.rowStride, order: odd, x, to: y)
    var i = rows.lowerBound &+ odd
    while i < rows.upperBound {
      let rows = a.base + i &* a.rowStride
      multiplyFourSymmetricRows(rows, a.rowStride, i, x, to: y)
      multiplyDiagonal(rows + i, a.rowStride, order: 4, x + i, to: y + i)
      i &+= 4
    }
  }

  /// y ← y + A·x for the small symmetric block on the diagonal.
  @_alwaysEmitIntoClient @inline(__always)
  static func multiplyDiagonal(
    _ a: UnsafePointer<Scalar>, _ stride: Int, order: Int, _ x: UnsafePointer<Scalar>,
    to y: UnsafeMutablePointer<Scalar>
  ) {
    for r in 0..<order {
      let row = a + r &* stride
      for s in 0..<r {
        y[r] += row[s] * x[s]
        y[s] += row[s] * x[r]
      }
      y[r] += row[r] * x[r]
    }
  }

  /// The four rows at `a`, `count` elements each, which are the first elements of rows `count` … `count` + 3 of A.
  @_alwaysEmitIntoClient @inline(__always)
  static func multiplyFourSymmetricRows(
    _ a: UnsafePointer<Scalar>, _ stride: Int, _ count: Int, _ x: UnsafePointer<Scalar>,
    to y: UnsafeMutablePointer<Scalar>
  ) {
    let (a1, a2, a3) = (a + stride, a + 2 &* stride, a + 3 &* stride)
    let (x0, x1) = (broadcast(x[count]), broadcast(x[count &+ 1]))
    let (x2, x3) = (broadcast(x[count &+ 2]), broadcast(x[count &+ 3]))
    var (s0, s1, s2, s3) = (zero, zero, zero, zero)
    var j = 0
    while j &+ lanes <= count {
      let (v0, v1, v2, v3) = (load(a + j), load(a1 + j), load(a2 + j), load(a3 + j))
      let v = load(x + j)
      let left = multiplyAdd(v1, x1, multiplyAdd(v0, x0, load(UnsafePointer(y + j))))
      s0 = multiplyAdd(v0, v, s0)
      s1 = multiplyAdd(v1, v, s1)
      s2 = multiplyAdd(v2, v, s2)
      s3 = multiplyAdd(v3, v, s3)
      store(multiplyAdd(v3, x3, multiplyAdd(v2, x2, left)), to: y + j)
      j &+= lanes
    }
    if j < count {
      let part = mask(first: count &- j)
      let (v0, v1) = (load(a + j, part), load(a1 + j, part))
      let (v2, v3) = (load(a2 + j, part), load(a3 + j, part))
      let v = load(x + j, part)
      let left = multiplyAdd(v1, x1, multiplyAdd(v0, x0, load(UnsafePointer(y + j), part)))
      s0 = multiplyAdd(v0, v, s0)
      s1 = multiplyAdd(v1, v, s1)
      s2 = multiplyAdd(v2, v, s2)
      s3 = multiplyAdd(v3, v, s3)
      store(multiplyAdd(v3, x3, multiplyAdd(v2, x2, left)), to: y + j, part)
    }
    let sums = fold(s0, s1, s2, s3)
    for i in 0..<4 { y[count &+ i] += sums[i] }
  }
}
