// The sums and products of the secular equation (divide and conquer for the symmetric tridiagonal eigenproblem):
//
//     f(λ) = 1/ρ + Σⱼ wⱼ²/(dⱼ − λ)
//
// λ is given as origin + offset, the origin being a pole dₖ: dⱼ − λ = (dⱼ − origin) − offset is then accurate to the last
// digits however near λ is to a pole. Source: M. Gu, S. C. Eisenstat, SIAM J. Matrix Anal. Appl. 16 (1995), 172–191.

/// The entry points for the secular equation.
public protocol SecularKernels<Scalar> {
  associatedtype Scalar

  /// Σ wⱼ²/(dⱼ − λ) and its derivative Σ wⱼ²/(dⱼ − λ)².
  static func secularSums(
    _ d: UnsafePointer<Scalar>, _ squares: UnsafePointer<Scalar>, count: Int, origin: Scalar, offset: Scalar
  ) -> (sum: Scalar, derivative: Scalar)
  /// πⱼ ← πⱼ·(dⱼ − λ)/(dⱼ − pole)
  static func secularFactors(
    _ products: UnsafeMutablePointer<Scalar>, _ d: UnsafePointer<Scalar>, count: Int, origin: Scalar,
    offset: Scalar, pole: Scalar)
  /// vⱼ ← wⱼ/(dⱼ − λ); returns Σ vⱼ².
  static func secularVector(
    _ v: UnsafeMutablePointer<Scalar>, _ w: UnsafePointer<Scalar>, _ d: UnsafePointer<Scalar>, count: Int,
    origin: Scalar, offset: Scalar
  ) -> Scalar
}

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  @_alwaysEmitIntoClient
  public static func secularSums(
    _ d: UnsafePointer<Scalar>, _ squares: UnsafePointer<Scalar>, count: Int, origin: Scalar, offset: Scalar
  ) -> (sum: Scalar, derivative: Scalar) {
    let (o, t) = (broadcast(origin), broadcast(offset))
    var (sums, derivatives) = (zero, zero)
    var j = 0
    while j &+ lanes <= count {
      let reciprocal = divide(one, load(d + j) - o - t)
      let term = multiply(load(squares + j), reciprocal)
      sums = sums + term
      derivatives = multiplyAdd(term, reciprocal, derivatives)
      j &+= lanes
    }
    var (sum, derivative) = (fold(sums), fold(derivatives))
    while j < count {
      let reciprocal = 1 / (d[j] - origin - offset)
      let term = squares[j] * reciprocal
      sum += term
      derivative += term * reciprocal
      j &+= 1
    }
    return (sum, derivative)
  }

  @_alwaysEmitIntoClient
  public static func secularFactors(
    _ products: UnsafeMutablePointer<Scalar>, _ d: UnsafePointer<Scalar>, count: Int, origin: Scalar,
    offset: Scalar, pole: Scalar
  ) {
    let (o, t, p) = (broadcast(origin), broadcast(offset), broadcast(pole))
    var j = 0
    while j &+ lanes <= count {
      let v = load(d + j)
      store(multiply(load(UnsafePointer(products + j)), divide(v - o - t, v - p)), to: products + j)
      j &+= lanes
    }
    while j < count {
      products[j] = products[j] * ((d[j] - origin - offset) / (d[j] - pole))
      j &+= 1
    }
  }

  @_alwaysEmitIntoClient
  public static func secularVector(
    _ v: UnsafeMutablePointer<Scalar>, _ w: UnsafePointer<Scalar>, _ d: UnsafePointer<Scalar>, count: Int,
    origin: Scalar, offset: Scalar
  ) -> Scalar {
    let (o, t) = (broadcast(origin), broadcast(offset))
    var squares = zero
    var j = 0
    while j &+ lanes <= count {
      let quotient = divide(load(w + j), load(d + j) - o - t)
      squares = multiplyAdd(quotient, quotient, squares)
      store(quotient, to: v + j)
      j &+= lanes
    }
    var sum = fold(squares)
    while j < count {
      v[j] = w[j] / (d[j] - origin - offset)
      sum += v[j] * v[j]
      j &+= 1
    }
    return sum
  }
}
