import KernelTemplates

// The roots of f(λ) = 1/ρ + Σⱼ wⱼ²/(dⱼ − λ), d ascending, ρ > 0: the eigenvalues of diag(d) + ρ·w·wᵀ. Root i lies between
// dᵢ and dᵢ₊₁, the last one in (d_last, d_last + ρ·‖w‖²).
//
// Each root is kept as an offset from its nearer pole. An iteration replaces the poles up to i by one at dᵢ and those
// behind by one at dᵢ₊₁, both with the right derivatives (R. C. Li, LAPACK Working Note 89, "the middle way"), and takes
// the root of that; whatever leaves the bracket is halved instead. It ends when f is as small as its rounding error, which
// is all that orthogonal vectors need (Gu and Eisenstat 1995).

/// A secular equation of `count` poles, in double precision whatever the matrix.
struct SecularEquation {
  let d: UnsafePointer<Double>
  let squares: UnsafePointer<Double>
  let count: Int
  let rho: Double
  let kernels: any KernelSet<Double>.Type

  /// f at a place, in two parts: the poles up to `split` − 1 and those behind.
  private struct Value {
    var left: (sum: Double, derivative: Double)
    var right: (sum: Double, derivative: Double)
    var f: Double
    /// A bound of the rounding error of f, in units of ε.
    var noise: Double
  }

  private func value(_ split: Int, _ origin: Double, _ offset: Double) -> Value {
    let left = kernels.secularSums(d, squares, count: split, origin: origin, offset: offset)
    let right = kernels.secularSums(
      d + split, squares + split, count: count - split, origin: origin, offset: offset)
    let f = 1 / rho + left.sum + right.sum
    let noise =
      Double(8 + count / 8) * (abs(left.sum) + abs(right.sum)) + 1 / rho
      + abs(offset) * (left.derivative + right.derivative)
    return Value(left: left, right: right, f: f, noise: noise)
  }

  /// Root i as an offset from the pole `origin`; nil if the iteration did not end.
  func root(_ i: Int) -> (origin: Int, offset: Double)? {
    let isLast = i == count - 1
    var (low, high) = (0.0, isLast ? rho * sumOfSquares : d[i + 1] - d[i])
    if high == 0 { return (i, 0) }
    var origin = i
    var current = value(i + 1, d[i], high / 2)
    var offset = high / 2
    if !isLast {
      // The sign of f in the middle tells the nearer pole.
      if current.f < 0 {
        origin = i + 1
        (low, high) = (-high / 2, 0)
      } else {
        high /= 2
      }
      offset = start(i, near: origin, current, gap: d[i + 1] - d[i])
      if !(offset > low && offset < high) { offset = (low + high) / 2 }
      current = value(i + 1, d[origin], offset)
    }
    for _ in 0..<120 {
      if abs(current.f) <= Double.ulpOfOne * current.noise { return (origin, offset) }
      if current.f < 0 { low = offset } else { high = offset }
      let step = isLast ? lastStep(current, offset) : step(i, current, d[origin] + 0, offset)
      var next = offset + step
      if !(next > low && next < high) { next = halfway(low, high) }
      if next == offset || next == low || next == high { return (origin, offset) }
      offset = next
      current = value(i + 1, d[origin], offset)
    }
    return nil
  }

  private var sumOfSquares: Double {
    var sum = 0.0
    for j in 0..<count { sum += squares[j] }
    return sum
  }

  /// Between two bounds: in their geometric middle if they have one sign and differ by orders of magnitude.
  private func halfway(_ low: Double, _ high: Double) -> Double {
    let (small, large) = (min(abs(low), abs(high)), max(abs(low), abs(high)))
    if low == 0 || high == 0 || large < 16 * small { return low + (high - low) / 2 }
    let middle = (small * large).squareRoot()
    return middle > 0 ? (low > 0 ? middle : -middle) : low + (high - low) / 2
  }

  /// The first offset: the two neighbouring poles exactly, and all others as a constant, from f in the middle.
  private func start(_ i: Int, near origin: Int, _ middle: Value, gap: Double) -> Double {
    let (left, right) = (squares[i], squares[i + 1])
    let others = middle.f + left / (gap / 2) - right / (gap / 2)
    // Seen from the right pole everything is reflected.
    return origin == i
      ? nearRoot(others, near: left, far: right, gap) : -nearRoot(-others, near: right, far: left, gap)
  }

  /// The x in (0, gap) with c − near/x + far/(gap − x) = 0.
  private func nearRoot(_ c: Double, near: Double, far: Double, _ gap: Double) -> Double {
    let a = c * gap + near + far
    let b = near * gap
    let root = max(0, a * a - 4 * b * c).squareRoot()
    return a > 0 ? 2 * b / (a + root) : (a - root) / (2 * c)
  }

  /// The middle way.
  private func step(_ i: Int, _ v: Value, _ origin: Double, _ offset: Double) -> Double {
    let (left, right) = (d[i] - origin - offset, d[i + 1] - origin - offset)
    let c = v.f - left * v.left.derivative - right * v.right.derivative
    let a = (left + right) * v.f - left * right * (v.left.derivative + v.right.derivative)
    let b = left * right * v.f
    if c == 0 { return b / a }
    let root = max(0, a * a - 4 * b * c).squareRoot()
    return a <= 0 ? (a - root) / (2 * c) : 2 * b / (a + root)
  }

  /// One pole at the last d, and a constant.
  private func lastStep(_ v: Value, _ offset: Double) -> Double {
    let distance = -offset
    let residue = v.left.derivative * distance * distance
    let constant = v.f - v.left.derivative * distance
    return constant > 0 ? distance + residue / constant : .infinity
  }
}
