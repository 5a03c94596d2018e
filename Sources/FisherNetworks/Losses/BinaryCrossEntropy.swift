import FisherLinearAlgebra

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
    let (n, scale) = (rows.columns, S(rows.call.scale))
    for r in 0..<rows.count {
      let place = rows.first + r
      var loss = 0.0
      for j in 0..<n {
        let i = r * n + j
        let (z, σ) = (rows.outputs.base[i], rows.target.base[i])
        let t = label(labels, place * n + j, σ)
        loss += Double((z > 0 ? z : 0) - z * t - logs[i])
        rows.target.base[i] = scale * (σ - t)
      }
      rows.call.losses?[place] = loss
    }
  }

  /// Given, or 1 with probability σ.
  @inline(__always)
  private static func label<S: KernelScalar>(_ labels: LabelSource<S>, _ i: Int, _ σ: S) -> S {
    switch labels {
    case .given(.values(let t)): t.withPointer { $0.base[i] }
    case .given(.classes): .nan
    case .drawn(let stream): stream.unit(i) < Double(σ) ? 1 : 0
    }
  }
}
