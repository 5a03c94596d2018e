import KernelTemplates

// The implicit QL iteration with Wilkinson's shift for a symmetric tridiagonal matrix (B. N. Parlett, The Symmetric
// Eigenvalue Problem, chapter 8): a sweep from row m up to row l chases the bulge with m − l rotations, which are gathered
// and applied to the eigenvectors in one go.

/// The QL iteration on a small block.
struct QLIteration<S: KernelScalar> {
  let d: UnsafeMutablePointer<Double>
  /// `count` − 1 elements beside the diagonal are read.
  let e: UnsafeMutablePointer<Double>
  let count: Int
  let z: MutableMatrixPointer<S>
  /// Room for `count` rotations.
  let rotations: UnsafeMutablePointer<PlaneRotation<S>>
  let kernels: any KernelSet<S>.Type

  /// - Returns: whether every eigenvalue took at most 60 sweeps.
  func run() -> Bool {
    for l in 0..<count {
      var sweeps = 0
      while true {
        let m = blockEnd(l)
        if m == l { break }
        if sweeps == 60 { return false }
        sweeps += 1
        sweep(l, m)
      }
    }
    return true
  }

  /// The last row of the unreduced block that starts in row l.
  private func blockEnd(_ l: Int) -> Int {
    var m = l
    while m < count - 1 {
      // The matrix has been scaled to elements of about 1, so what is this small counts for nothing.
      if abs(e[m]) <= Double.ulpOfOne * (abs(d[m]) + abs(d[m + 1])) + 1e-140 { break }
      m += 1
    }
    return m
  }

  private func sweep(_ l: Int, _ m: Int) {
    // The eigenvalue of the leading 2 × 2 block that is nearer to d_l.
    let half = (d[l + 1] - d[l]) / (2 * e[l])
    let root = (half * half + 1).squareRoot()
    let shift = d[l] - e[l] / (half + (half < 0 ? -root : root))
    var g = d[m] - shift
    var (s, c, p) = (1.0, 1.0, 0.0)
    var done = 0
    for i in (l..<m).reversed() {
      let (f, b) = (s * e[i], c * e[i])
      let r = (f * f + g * g).squareRoot()
      if i + 1 < m { e[i + 1] = r }
      if r == 0 {
        // The block falls apart here.
        d[i + 1] -= p
        rotate(m, done)
        return
      }
      (s, c) = (f / r, g / r)
      g = d[i + 1] - p
      let t = (d[i] - g) * s + 2 * c * b
      p = s * t
      d[i + 1] = g + p
      g = c * t - b
      rotations[done] = PlaneRotation(c: S(c), s: S(s))
      done += 1
    }
    d[l] -= p
    e[l] = g
    rotate(m, done)
  }

  /// Applies the rotations gathered, from row m up.
  private func rotate(_ m: Int, _ done: Int) {
    if done == 0 { return }
    kernels.rotateRows(z.block(m - done, 0, rows: done + 1, columns: count), rotations, count: done)
  }
}
