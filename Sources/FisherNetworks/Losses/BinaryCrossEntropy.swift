import FisherLinearAlgebra
import FisherRuntime

/// l = Σⱼ −t·log σ(z) − (1 − t)·log(1 − σ(z));  dl/dz = σ(z) − t.
///
/// With s = σ(−|z|), which is at most ½ and accurate however small, and [z > 0] for 1 or 0:
///
///     l     = Σⱼ z·([z > 0] − t) − log(1 − s),   two terms that are at least 0
///     dl/dz = ±s + ([z > 0] − t)
enum BinaryCrossEntropy {
  static func evaluate<S: KernelScalar>(_ rows: LossRows<S>, _ labels: LabelSource<S>) {
    let (count, s) = (rows.count * rows.columns, rows.target.base)
    negativeMagnitudes(rows.outputs.base, to: s, count)
    rows.call.backend.map(.sigmoid, s, to: s, count: count)
    Scratch.with(count, of: S.self) { logs in
      complements(s, to: logs, count)
      rows.call.backend.map(.log, logs, to: logs, count: count)
      finish(rows, labels, logs)
    }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  private static func negativeMagnitudes<S: KernelScalar>(
    _ z: UnsafePointer<S>, to target: UnsafeMutablePointer<S>, _ count: Int
  ) {
    for i in 0..<count { target[i] = -abs(z[i]) }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  private static func complements<S: KernelScalar>(
    _ s: UnsafePointer<S>, to target: UnsafeMutablePointer<S>, _ count: Int
  ) {
    for i in 0..<count { target[i] = 1 - s[i] }
  }

  /// From s in `rows.target` and the logarithms of 1 − s, rounded, to losses and gradients.
  @specialized(where S == Float) @specialized(where S == Double)
  private static func finish<S: KernelScalar>(
    _ rows: LossRows<S>, _ labels: LabelSource<S>, _ logs: UnsafePointer<S>
  ) {
    let n = rows.columns
    for r in 0..<rows.count {
      let place = rows.first + r
      let row = ElementRow(
        z: rows.outputs.base + r * n, s: rows.target.base + r * n, logs: logs + r * n, count: n,
        scale: S(rows.call.scale))
      let loss: Double
      switch labels {
      case .given(.values(let t)):
        loss = t.withPointer { t in
          let t = t.base + place * n
          return row.finish { j, _ in t[j] }
        }
      case .given(.classes): loss = row.finish { _, _ in .nan }
      case .drawn(let stream):
        loss = row.finish { j, σ in stream.unit(place * n + j) < σ ? 1 : 0 }
      }
      rows.call.losses?[place] = loss
    }
  }
}

/// The elements of one row: s becomes the gradient.
private struct ElementRow<S: KernelScalar> {
  let z: UnsafePointer<S>
  /// σ(−|z|)
  let s: UnsafeMutablePointer<S>
  /// The logarithm of 1 − s, rounded.
  let logs: UnsafePointer<S>
  let count: Int
  let scale: S

  /// - Parameter label: t of an element, given its number and σ.
  /// - Returns: the loss.
  @inline(__always)
  func finish(_ label: (_ j: Int, _ σ: Double) -> S) -> Double {
    var loss = 0.0
    for j in 0..<count {
      let (z, s) = (z[j], s[j])
      let t = label(j, z > 0 ? 1 - Double(s) : Double(s))
      let distance = (z > 0 ? 1 : 0) - t
      // Nothing is paid for a label that is certain, not even at infinity.
      loss += (distance == 0 ? 0 : Double(z) * Double(distance)) + logarithm(s, logs[j])
      self.s[j] = scale * ((z > 0 ? -s : s) + distance)
    }
    return loss
  }

  /// −log(1 − s): what rounding 1 − s to v does to the logarithm, it does to v − 1 as well (Kahan).
  @inline(__always)
  private func logarithm(_ s: S, _ log: S) -> Double {
    let rounded = 1 - (1 - s)
    return Double(rounded == 0 ? s : -log * (s / rounded))
  }
}
