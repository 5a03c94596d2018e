import FisherLinearAlgebra
import FisherRuntime

/// l = Σⱼ qⱼ·(log Σ exp z − zⱼ) with labels q;  dl/dz = Σq·softmax(z) − q.
///
/// log Σ exp z − zⱼ = (max z − zⱼ) + log(1 + rest): both terms are at least 0, so the loss is as accurate as its terms,
/// however large the outputs and however small the loss. A class with q = 0 costs nothing, not even at z = −∞, and a row
/// that does not count costs nothing, not even with NaN.
enum SoftmaxCrossEntropy {
  static func evaluate<S: KernelScalar>(_ rows: LossRows<S>, _ labels: LabelSource<S>, _ smoothing: Double) {
    Scratch.with(rows.count, of: ExponentialSum<S>.self) { sums in
      rows.call.backend.softmax(rows.outputs, to: rows.target, sums: sums)
      finish(rows, labels, smoothing, sums)
    }
  }

  /// From probabilities in `rows.target` to losses and gradients.
  @specialized(where S == Float) @specialized(where S == Double)
  private static func finish<S: KernelScalar>(
    _ rows: LossRows<S>, _ labels: LabelSource<S>, _ smoothing: Double,
    _ sums: UnsafePointer<ExponentialSum<S>>
  ) {
    let n = rows.columns
    for r in 0..<rows.count {
      let place = rows.first + r
      let weight = rows.call.rowWeights?[place] ?? 1
      if weight == 0 {
        (rows.target.base + r * n).update(repeating: 0, count: n)
        rows.call.losses?[place] = 0
        continue
      }
      // A drawn gradient's square is to be w·(diag p − p·pᵀ) on average.
      let factor = if case .drawn = labels { weight.squareRoot() } else { weight }
      let row = SoftmaxRow(
        z: rows.outputs.base + r * n, p: rows.target.base + r * n, count: n, sum: sums[r],
        scale: S(factor * rows.call.scale))
      let loss: Double
      switch labels {
      case .given(.values(let q)): loss = q.withPointer { row.finish($0.base + place * n, smoothing) }
      case .given(.classes(let classes)): loss = row.finish(label: classes[place], smoothing)
      case .drawn(let stream): loss = row.finish(label: row.draw(stream.unit(place)), 0)
      }
      rows.call.losses?[place] = weight * loss
    }
  }
}

/// The classes of one row: p becomes the gradient.
private struct SoftmaxRow<S: KernelScalar> {
  let z: UnsafePointer<S>
  let p: UnsafeMutablePointer<S>
  let count: Int
  let sum: ExponentialSum<S>
  let scale: S

  /// w·(max z − zⱼ), formed of halves: the difference may overflow where the product does not.
  @inline(__always)
  private func gap(_ j: Int, times w: Double = 1) -> Double {
    2 * w * (0.5 * Double(sum.peak) - 0.5 * Double(z[j]))
  }

  /// log Σ exp(z − max z)
  @inline(__always)
  private var logSum: Double { log1p(Double(sum.rest)) }

  /// What a mass of ε pays that is spread over all classes.
  @inline(__always)
  private func spread(_ ε: Double) -> Double {
    if ε == 0 { return 0 }
    var total = 0.0
    for j in 0..<count { total += gap(j, times: ε / Double(count)) }
    return total
  }

  /// q is 1 − ε at the label, and ε spread over all classes.
  ///
  /// - Returns: the loss.
  @inline(__always)
  func finish(label: Int, _ ε: Double) -> Double {
    let loss = gap(label, times: 1 - ε) + spread(ε) + logSum
    // p − 1 at the largest is −rest/(1 + rest), without cancellation; elsewhere p is at most ½.
    let excess = gap(label) == 0 ? -sum.rest / (1 + sum.rest) : p[label] - 1
    let share = S(ε / Double(count))
    p[label] = excess + S(ε)
    for j in 0..<count { p[j] = scale * (p[j] - share) }
    return loss
  }

  /// The label is the distribution q, of which ε is spread over all classes.
  ///
  /// - Returns: the loss.
  @inline(__always)
  func finish(_ q: UnsafePointer<S>, _ ε: Double) -> Double {
    var (mass, loss) = (0.0, 0.0)
    for j in 0..<count where q[j] != 0 {
      mass += Double(q[j])
      loss += gap(j, times: (1 - ε) * Double(q[j]))
    }
    let (factor, kept, share) = (S(mass), S(1 - ε), S(ε * mass / Double(count)))
    for j in 0..<count { p[j] = scale * (factor * p[j] - (kept * q[j] + share)) }
    return loss + spread(ε * mass) + mass * logSum
  }

  /// The class in whose stretch of the cumulated probabilities u lies.
  @inline(__always)
  func draw(_ u: Double) -> Int {
    var cumulated = 0.0
    for j in 0..<count {
      cumulated += Double(p[j])
      if u < cumulated { return j }
    }
    return count - 1
  }
}
