// Products of L symmetric matrices with L vectors, one in each lane; the matrices are packed groups, their
// vectors `stride` elements apart.
//
//     B_ij ← β·A_ij + (α·x_i)·x_j      i ≥ j          a statistic of gradients
//     y_i  ← Σ_j A_ij·x_j              in order of j  a preconditioned direction

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// B ← β·A + α·x·xᵀ. With β = 0, A is not read. `x` is n vectors; B may be A.
  @_alwaysEmitIntoClient
  public static func addOuterProduct(
    _ x: UnsafePointer<Scalar>, n: Int, alpha: Scalar, beta: Scalar, _ packed: UnsafePointer<Scalar>,
    to target: UnsafeMutablePointer<Scalar>, stride: Int
  ) {
    let (a, b) = (broadcast(alpha), broadcast(beta))
    var (source, target) = (packed, target)
    for i in 0..<n {
      let scaled = multiply(a, load(x + i &* lanes))
      for j in 0...i {
        let product = multiply(scaled, load(x + j &* lanes))
        store(beta == 0 ? product : multiplyAdd(b, load(source), product), to: target)
        source += stride
        target += stride
      }
    }
  }

  /// y ← A·x; both are n vectors.
  @_alwaysEmitIntoClient
  public static func multiplySymmetric(
    _ packed: UnsafePointer<Scalar>, stride: Int, n: Int, _ x: UnsafePointer<Scalar>,
    to y: UnsafeMutablePointer<Scalar>
  ) {
    var row = packed
    for i in 0..<n {
      var sum = zero
      for j in 0...i { sum = multiplyAdd(load(row + j &* stride), load(x + j &* lanes), sum) }
      // The rest of the row is the column below the diagonal.
      var (element, j) = (row + (i &+ i &+ 1) &* stride, i &+ 1)
      while j < n {
        sum = multiplyAdd(load(element), load(x + j &* lanes), sum)
        element += (j &+ 1) &* stride
        j &+= 1
      }
      store(sum, to: y + i &* lanes)
      row += (i &+ 1) &* stride
    }
  }
}
