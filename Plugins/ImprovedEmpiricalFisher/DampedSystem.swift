import FisherLinearAlgebra
import FisherOptimizers

/// (K + λ·diag(metric))·w = b in double precision, for a Gram matrix K that may have zero and nearly equal rows.
///
/// Cholesky on the matrix scaled to a unit diagonal. A pivot that is not positive raises λ tenfold until all are; that,
/// and the rows left out, are counted.
package struct DampedSystem {
  let K: Matrix<Double>
  let metric: [Double]
  /// λ as asked for, relative ones multiplied out.
  let damping: Double
  /// λ as it was used.
  private(set) var appliedDamping: Double
  private(set) var kept: [Int]
  package private(set) var raised = 0
  package private(set) var duplicates = 0
  private let backend: any Backend
  private let threads: Int

  package init(
    K: Matrix<Double>, metric: [Double], damping: Double, isRelative: Bool,
    on backend: any Backend = NativeBackend(), threads: Int = 1
  ) {
    self.backend = backend
    self.threads = threads
    self.K = K
    self.metric = metric
    // Rows without a gradient have nothing to contribute, and could make the matrix singular.
    kept = (0..<K.rows).filter { K[$0, $0] > 0 && metric[$0] > 0 }
    let scale = Self.scale(of: K, metric, kept)
    self.damping = isRelative ? damping * scale : damping
    appliedDamping = self.damping
  }

  /// What a relative λ is multiplied with: the mean of K's diagonal over the metric, over the rows that are not 0.
  static func scale(of K: Matrix<Double>) -> Double {
    let rows = (0..<K.rows).filter { K[$0, $0] > 0 }
    return scale(of: K, [Double](repeating: 1, count: K.rows), rows)
  }

  private static func scale(of K: Matrix<Double>, _ metric: [Double], _ rows: [Int]) -> Double {
    rows.reduce(0.0) { $0 + K[$1, $1] / metric[$1] } / Double(max(1, rows.count))
  }

  /// Leaves out of every pair of rows with |cos| > `threshold` the shorter one; a threshold of 1 keeps all.
  ///
  /// Two samples that are alike and have different labels ask for opposite steps, and w would explode.
  package mutating func dropDuplicates(above threshold: Double) {
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
  package mutating func solve(_ b: [Double]) -> [Double] {
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
  package func norm(_ w: [Double]) -> Double {
    var sum = 0.0
    for i in kept { for j in kept { sum += w[i] * K[i, j] * w[j] } }
    return max(0, sum).squareRoot()
  }

  /// Δᵀ(JᵀJ + λ·I)Δ = ‖K·w‖² + λ·‖Δ‖² of the direction Δ = Jᵀw, for the λ that was used.
  func quadratic(_ w: [Double]) -> Double {
    let image = kept.map { i in kept.reduce(0.0) { $0 + K[i, $1] * w[$1] } }
    return image.reduce(0.0) { $0 + $1 * $1 } + appliedDamping * norm(w) * norm(w)
  }

  func report<S>(to step: inout Step<S>) {
    if raised > 0 { step.count("damping raised", raised) }
    if duplicates > 0 { step.count("near-duplicate samples left out", duplicates) }
  }

  /// The solution on the kept rows; nil if a pivot is not positive.
  private func solution(_ b: [Double], _ λ: Double) -> [Double]? {
    let scale = kept.map { 1 / (K[$0, $0] + λ * metric[$0]).squareRoot() }
    let scaled = Matrix<Double>(rows: kept.count, columns: kept.count) { i, j in
      i == j ? 1 : K[kept[i], kept[j]] * scale[i] * scale[j]
    }
    guard let factor = try? Cholesky(scaled, on: backend, threads: threads) else { return nil }
    let right = Matrix(zip(kept, scale).map { b[$0] * $1 }, rows: kept.count, columns: 1)
    return zip(factor.solving(right, on: backend, threads: threads).array, scale).map { $0 * $1 }
  }
}
