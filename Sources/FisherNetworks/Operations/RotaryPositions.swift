import FisherLinearAlgebra
import FisherRuntime

/// Turns pairs of features by angles that grow with the position (Su et al. 2021): with half = size/2, features i and
/// i + half at position t by t·10000^(−i/half). The product of a turned q and a turned k depends on the distance of their
/// positions alone. Orthogonal, so gradients are turned back.
struct RotaryPositions<Scalar: KernelScalar>: Sendable {
  private let size: Int
  /// positions × half.
  private let cosines: [Scalar]
  private let sines: [Scalar]

  /// - Precondition: `size` is even.
  init(positions: Int, size: Int) {
    let half = size / 2
    self.size = size
    let angles = (0..<positions * half).map { i in
      Double(i / half) * pow(10000, -Double(i % half) / Double(half))
    }
    cosines = angles.map { Scalar(cos($0)) }
    sines = angles.map { Scalar(sin($0)) }
  }

  /// target ← the rows of x, turned or turned back; target is compact.
  func turn(_ x: MatrixPointer<Scalar>, to target: UnsafeMutablePointer<Scalar>, forward: Bool) {
    cosines.withUnsafeBufferPointer { cosines in
      sines.withUnsafeBufferPointer { sines in
        guard let c = cosines.baseAddress, let s = sines.baseAddress else { return }
        for t in 0..<x.rows {
          let at = t * (size / 2)
          Self.turn(x.base + t * x.rowStride, target + t * size, c + at, s + at, size / 2, forward ? 1 : -1)
        }
      }
    }
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private static func turn(
    _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>, _ c: UnsafePointer<Scalar>,
    _ s: UnsafePointer<Scalar>, _ half: Int, _ sign: Scalar
  ) {
    for i in 0..<half {
      let (a, b, sine) = (x[i], x[i + half], sign * s[i])
      y[i] = a * c[i] - b * sine
      y[i + half] = b * c[i] + a * sine
    }
  }
}
