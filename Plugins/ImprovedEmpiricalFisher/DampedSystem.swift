import FisherLinearAlgebra
import FisherOptimizers

/// (K + λ·diag(metric))·w = b in double precision, for a Gram matrix K that may have zero and nearly equal rows.
///
/// Cholesky on the matrix scaled to a unit diagonal. A pivot that is not positive raises λ tenfold until all are; that,
/// and the rows left out, are counted.
struct DampedSystem {
  let K: Matrix<Double>
  let metric: [Double]
  /// λ as asked for, relative ones multiplied out.
  let damping: Double
  /// λ as it was used.
  private(set) var appliedDamping: Double
  private(set) var kept: [Int]
  private(set) var raised = 0
  private(set) var duplicates = 0

  init(K: Matrix<Double>, metric: [Double], damping: Double, isRelative: Bool) {
    self.K = K
    self.metric = metric
    // Rows without a gradient have nothing to contribute, and could make the matrix singular.
    kept = (0..<K.rows).filter { K[$0, $0] > 0 && metric[$0] > 0 }
    let scale = kept.reduce(0.0) { $0 + K[$1, $1] / metric[$1] } / Double(max(1, kept.count))
    self.damping = isRelative ? damping * scale : damping
    appliedDamping = self.damping
  }

  /// Leaves out of every pair of rows with |cos| > `threshold` the shorter one; a threshold of 1 keeps all.
  ///
  /// Two samples that are alike and have different labels ask for opposite steps, and w would explode.
  mutating func dropDuplicates(above threshold: Double) {
    if threshold >= 1 { return }
    var isDropped = [Bool](repeating: false, count: K.rows)
    for (position, i) in kept.enumerated() {
      for j in kept[(position + 1)...] where abs(K[i, j]) > threshold * (K[i, i] * K[j, j]).squareRoot() {
        isDropped[K[j, j] <= K[i, i] ? j : i] = true
      }
    }
    let rest = kept.filter { !isDropped[$0] }
    duplicates = kept.count - rest.count
    kept = rest
  }

  /// w, with zeros for the rows left out.
  mutating func solve(_ b: [Double]) -> [Double] {
    var w = [Double](repeating: 0, count: b.count)
    if kept.isEmpty { return w }
    var λ = damping
    while true {
      if let solution = solution(b, λ) {
        appliedDamping = λ
        for (i, value) in zip(kept, solution) { w[i] = value }
        return w
      }
      raised += 1
      let floor = Double(kept.count) * .ulpOfOne * kept.reduce(0.0) { max($0, K[$1, $1] / metric[$1]) }
      λ = max(10 * λ, floor)
    }
  }

  /// wᵀ·K·w = ‖Jᵀw‖², the squared length of the direction; its root.
  func norm(_ w: [Double]) -> Double {
    var sum = 0.0
    for i in kept { for j in kept { sum += w[i] * K[i, j] * w[j] } }
    return max(0, sum).squareRoot()
  }

  func report<S>(to step: inout Step<S>) {
    if raised > 0 { step.count("damping raised", raised) }
    if duplicates > 0 { step.count("near-duplicate samples left out", duplicates) }
  }

  /// The solution on the kept rows; nil if a pivot is not positive.
  private func solution(_ b: [Double], _ λ: Double) -> [Double]? {
    let n = kept.count
    let scale = kept.map { 1 / (K[$0, $0] + λ * metric[$0]).squareRoot() }
    var L = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      for j in 0..<i { L[i * n + j] = K[kept[i], kept[j]] * scale[i] * scale[j] }
      L[i * n + i] = 1
    }
    guard factorize(&L, n) else { return nil }
    var x = zip(kept, scale).map { b[$0] * $1 }
    for i in 0..<n {
      for j in 0..<i { x[i] -= L[i * n + j] * x[j] }
      x[i] /= L[i * n + i]
    }
    for i in (0..<n).reversed() {
      x[i] /= L[i * n + i]
      for j in 0..<i { x[j] -= L[i * n + j] * x[i] }
    }
    return zip(x, scale).map { $0 * $1 }
  }

  /// L·Lᵀ in place; false at a pivot that is not positive.
  private func factorize(_ L: inout [Double], _ n: Int) -> Bool {
    for i in 0..<n {
      for j in 0...i {
        var sum = L[i * n + j]
        for k in 0..<j { sum -= L[i * n + k] * L[j * n + k] }
        if i == j {
          guard sum > 0 else { return false }
          L[i * n + i] = sum.squareRoot()
        } else {
          L[i * n + j] = sum / L[j * n + j]
        }
      }
    }
    return true
  }
}
