// A matrix with contiguous rows times a vector:
//
//     yᵢ = Σₚ aᵢₚ·xₚ        one FMA chain per element, in the order of p
//
// as in a tile, whose vectors would hold one element here. Instead, the lanes are rows: squares of L rows and L steps are
// transposed in registers, and their columns go into L chains side by side. Two groups of rows in turn hide the latency of
// the chains behind the other's shuffles.
//
// Assumptions: rows and x are contiguous. Nothing outside of them is read.
// Error: |yᵢ − exact| ≤ k·u/(1 − k·u) · Σ|aᵢₚ||xₚ|, u the unit roundoff.

/// The operands of A·x.
@frozen
public struct RowChainCall<Scalar> {
  public var rows: Int
  /// k.
  public var depth: Int
  public var a: UnsafePointer<Scalar>
  public var rowStride: Int
  public var x: UnsafePointer<Scalar>
  public var y: UnsafeMutablePointer<Scalar>
  /// A comes from far away, in more streams than prefetchers follow.
  public var fetchesA: Bool

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    rows: Int, depth: Int, a: UnsafePointer<Scalar>, rowStride: Int, x: UnsafePointer<Scalar>,
    y: UnsafeMutablePointer<Scalar>, fetchesA: Bool
  ) {
    self.rows = rows
    self.depth = depth
    self.a = a
    self.rowStride = rowStride
    self.x = x
    self.y = y
    self.fetchesA = fetchesA
  }
}

extension Stack {
  /// See the head of this file; as many rows as lanes.
  @_alwaysEmitIntoClient @inline(__always)
  public static func multiplyRows(_ call: RowChainCall<Unit.Scalar>) {
    var i = 0
    while i &+ 2 &* rows <= call.rows {
      let (upper, lower) = (call.a + i &* call.rowStride, call.a + (i &+ rows) &* call.rowStride)
      var (first, second) = (Unit.zero, Unit.zero)
      var p = 0
      while p &+ rows <= call.depth {
        if call.fetchesA { prefetchRows(upper + p, call.rowStride, count: 2 &* rows) }
        Self(loading: upper + p, call.rowStride).squaresTransposed
          .add(to: &first, times: call.x + p, count: rows)
        Self(loading: lower + p, call.rowStride).squaresTransposed
          .add(to: &second, times: call.x + p, count: rows)
        p &+= rows
      }
      if p < call.depth {
        addRest(call, i, count: rows, from: p, to: &first)
        addRest(call, i &+ rows, count: rows, from: p, to: &second)
      }
      Unit.store(first, to: call.y + i)
      Unit.store(second, to: call.y + (i &+ rows))
      i &+= 2 &* rows
    }
    while i < call.rows {
      let count = min(rows, call.rows &- i)
      var sums = Unit.zero
      addRest(call, i, count: count, from: 0, to: &sums)
      Unit.store(sums, to: call.y + i, Unit.mask(first: count))
      i &+= rows
    }
  }

  /// The steps from p on of at most L rows from row i on, wherever they end.
  @_alwaysEmitIntoClient @inline(never)
  static func addRest(
    _ call: RowChainCall<Unit.Scalar>, _ i: Int, count: Int, from start: Int, to sums: inout Unit.Vector
  ) {
    let a = call.a + i &* call.rowStride
    var p = start
    while p < call.depth {
      let left = min(rows, call.depth &- p)
      Self(loading: a + p, call.rowStride, last: count &- 1, Unit.mask(first: left)).squaresTransposed
        .add(to: &sums, times: call.x + p, count: left)
      p &+= rows
    }
  }
}

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// y ← A·x, each element one chain.
  ///
  /// A function of its own between the kernels' table and the unit: into a witness no intrinsic would be inlined.
  @_alwaysEmitIntoClient
  public static func multiplyInOrder(_ call: RowChainCall<Scalar>) { multiplySquares(call) }
}
