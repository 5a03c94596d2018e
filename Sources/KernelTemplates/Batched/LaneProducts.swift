// Products of L symmetric matrices with L vectors, one in each lane; the matrices are packed groups.
//
//     A_ij ← β·A_ij + (α·x_i)·x_j      i ≥ j          a statistic of gradients
//     y_i  ← Σ_j A_ij·x_j              in order of j  a preconditioned direction

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// A ← β·A + α·x·xᵀ. With β = 0, A is not read. `x` is n vectors.
  @inlinable
  public static func addOuterProduct(
    _ x: UnsafePointer<Scalar>, n: Int, alpha: Scalar, beta: Scalar, to packed: UnsafeMutablePointer<Scalar>
  ) {
    let (a, b) = (broadcast(alpha), broadcast(beta))
    var target = packed
    for i in 0..<n {
      let scaled = multiply(a, load(x + i &* lanes))
      for j in 0...i {
        let product = multiply(scaled, load(x + j &* lanes))
        store(beta == 0 ? product : multiplyAdd(b, load(UnsafePointer(target)), product), to: target)
        target += lanes
      }
    }
  }

  /// y ← A·x; both are n vectors.
  @inlinable
  public static func multiplySymmetric(
    _ packed: UnsafePointer<Scalar>, n: Int, _ x: UnsafePointer<Scalar>, to y: UnsafeMutablePointer<Scalar>
  ) {
    var row = packed
    for i in 0..<n {
      var sum = zero
      for j in 0...i { sum = multiplyAdd(load(row + j &* lanes), load(x + j &* lanes), sum) }
      // The rest of the row is the column below the diagonal.
      var (element, j) = (row + (i &+ i &+ 1) &* lanes, i &+ 1)
      while j < n {
        sum = multiplyAdd(load(element), load(x + j &* lanes), sum)
        element += (j &+ 1) &* lanes
        j &+= 1
      }
      store(sum, to: y + i &* lanes)
      row += (i &+ 1) &* lanes
    }
  }
}
