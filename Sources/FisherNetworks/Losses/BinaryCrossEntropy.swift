import FisherLinearAlgebra
import FisherRuntime

/// l = Σⱼ max(z, 0) − z·t − log σ(|z|), which is −t·log σ(z) − (1 − t)·log(1 − σ(z));  dl/dz = σ(z) − t.
enum BinaryCrossEntropy {
  static func evaluate<S: KernelScalar>(_ rows: LossRows<S>, _ labels: LabelSource<S>) {
    let count = rows.count * rows.columns
    rows.call.backend.map(.sigmoid, rows.outputs.base, to: rows.target.base, count: count)
    Scratch.with(count, of: S.self) { logs in
      larger(rows.target.base, to: logs, count)
      rows.call.backend.map(.log, logs, to: logs, count: count)
      finish(rows, labels, logs)
    }
  }

  /// σ(|z|) = max(σ, 1 − σ)
  @specialized(where S == Float) @specialized(where S == Double)
  private static func larger<S: KernelScalar>(
    _ σ: UnsafePointer<S>, to target: UnsafeMutablePointer<S>, _ count: Int
  ) {
    for i in 0..<count { target[i] = σ[i] < 0.5 ? 1 - σ[i] : σ[i] }
  }

  /// From σ(z) in `rows.target` and log σ(|z|) to losses and gradients.
  @specialized(where S == Float) @specialized(where S == Double)
  private static func finish<S: KernelScalar>(
    _ rows: LossRows<S>, _ labels: LabelSource<S>, _ logs: UnsafePointer<S>
  ) {
    let n = rows.columns
    for r in 0..<rows.count {
      let place = rows.first + r
      let row = ElementRow(
        z: rows.outputs.base + r * n, σ: rows.target.base + r * n, logs: logs + r * n, count: n,
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
        loss = row.finish { j, σ in stream.unit(place * n + j) < Double(σ) ? 1 : 0 }
      }
      rows.call.losses?[place] = loss
    }
  }
}

/// The elements of one row: σ becomes the gradient.
private struct ElementRow<S: KernelScalar> {
  let z: UnsafePointer<S>
  let σ: UnsafeMutablePointer<S>
  /// log σ(|z|)
  let logs: UnsafePointer<S>
  let count: Int
  let scale: S

  /// - Parameter label: t of an element, given its number and σ.
  /// - Returns: the loss.
  @inline(__always)
  func finish(_ label: (_ j: Int, _ σ: S) -> S) -> Double {
    var loss = 0.0
    for j in 0..<count {
      let (z, σ) = (z[j], σ[j])
      let t = label(j, σ)
      loss += Double((z > 0 ? z : 0) - z * t - logs[j])
      self.σ[j] = scale * (σ - t)
    }
    return loss
  }
}
