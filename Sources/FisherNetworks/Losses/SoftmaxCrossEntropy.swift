import FisherLinearAlgebra
import FisherRuntime

/// l = Σⱼ qⱼ·(log Σ exp z − zⱼ) with labels q;  dl/dz = Σq·softmax(z) − q.
enum SoftmaxCrossEntropy {
  static func evaluate<S: KernelScalar>(_ rows: LossRows<S>, _ labels: LabelSource<S>, _ smoothing: Double) {
    Scratch.with(rows.count, of: S.self) { logSums in
      rows.call.backend.softmax(rows.outputs, to: rows.target, logSums: logSums)
      finish(rows, labels, smoothing, logSums)
    }
  }

  /// From probabilities in `rows.target` to losses and gradients.
  @specialized(where S == Float) @specialized(where S == Double)
  private static func finish<S: KernelScalar>(
    _ rows: LossRows<S>, _ labels: LabelSource<S>, _ smoothing: Double, _ logSums: UnsafePointer<S>
  ) {
    let n = rows.columns
    for r in 0..<rows.count {
      let z = rows.outputs.base + r * n
      let p = rows.target.base + r * n
      let (place, logSum) = (rows.first + r, Double(logSums[r]))
      switch labels {
      case .given(.values(let q)):
        q.withPointer { distribution(rows, place, z, p, $0.base + place * n, n, logSum, smoothing) }
      case .given(.classes(let classes)):
        hard(rows, place, z, p, n, logSum, label: classes[place], smoothing)
      case .drawn(let stream):
        hard(rows, place, z, p, n, logSum, label: draw(stream.unit(place), p, n), 0)
      }
    }
  }

  /// q is 1 − ε at the label, and ε spread over all classes.
  @inline(__always)
  private static func hard<S: KernelScalar>(
    _ rows: LossRows<S>, _ place: Int, _ z: UnsafePointer<S>, _ p: UnsafeMutablePointer<S>, _ n: Int,
    _ logSum: Double, label: Int, _ ε: Double
  ) {
    var mean = 0.0
    if ε > 0 {
      for j in 0..<n { mean += Double(z[j]) }
      mean /= Double(n)
    }
    rows.call.losses?[place] = logSum - (1 - ε) * Double(z[label]) - ε * mean
    let (scale, share) = (S(rows.call.scale), S(ε / Double(n)))
    p[label] -= S(1 - ε)
    for j in 0..<n { p[j] = scale * (p[j] - share) }
  }

  /// q becomes (1 − ε)·q, and ε of its mass is spread over all classes.
  @inline(__always)
  private static func distribution<S: KernelScalar>(
    _ rows: LossRows<S>, _ place: Int, _ z: UnsafePointer<S>, _ p: UnsafeMutablePointer<S>,
    _ q: UnsafePointer<S>, _ n: Int, _ logSum: Double, _ ε: Double
  ) {
    var mass = 0.0
    for j in 0..<n { mass += Double(q[j]) }
    let share = ε * mass / Double(n)
    var inner = 0.0
    for j in 0..<n { inner += ((1 - ε) * Double(q[j]) + share) * Double(z[j]) }
    rows.call.losses?[place] = mass * logSum - inner
    let (scale, factor, kept, spread) = (S(rows.call.scale), S(mass), S(1 - ε), S(share))
    for j in 0..<n { p[j] = scale * (factor * p[j] - kept * q[j] - spread) }
  }

  /// The class in whose stretch of the cumulated probabilities u lies.
  @inline(__always)
  private static func draw<S: KernelScalar>(_ u: Double, _ p: UnsafePointer<S>, _ n: Int) -> Int {
    var cumulated = 0.0
    for j in 0..<n {
      cumulated += Double(p[j])
      if u < cumulated { return j }
    }
    return n - 1
  }
}
