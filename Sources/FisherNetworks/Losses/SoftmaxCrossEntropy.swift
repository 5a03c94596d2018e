import FisherLinearAlgebra
import Foundation

/// l = log Σⱼ exp zⱼ − Σⱼ qⱼ·zⱼ with labels q;  dl/dz = softmax(z) − q.
enum SoftmaxCrossEntropy {
  /// Rows of a task.
  private static var taskRows: Int { 64 }

  @specialized(where S == Float) @specialized(where S == Double)
  static func evaluate<S: KernelScalar>(_ call: LossCall<S>, _ labels: LabelSource<S>, _ smoothing: Double) {
    let (rows, columns) = (call.outputs.rows, call.outputs.columns)
    let tasks = (rows + taskRows - 1) / taskRows
    Parallel.perform(tasks, threads: rows * columns < 8192 ? 1 : call.threads) { task in
      for i in task * taskRows..<min(rows, (task + 1) * taskRows) { row(call, i, labels, smoothing) }
    }
  }

  private static func row<S: KernelScalar>(
    _ call: LossCall<S>, _ i: Int, _ labels: LabelSource<S>, _ smoothing: Double
  ) {
    let n = call.outputs.columns
    let z = call.outputs.base + i * call.outputs.rowStride
    var peak = -Double.infinity
    for j in 0..<n { peak = max(peak, Double(z[j])) }
    var sum = 0.0
    for j in 0..<n { sum += exp(Double(z[j]) - peak) }
    let logSum = peak + log(sum)
    let gradient = call.gradients.map { $0.base + i * $0.rowStride }

    if case .given(.values(let q)) = labels {
      let mass = (0..<n).reduce(0.0) { $0 + Double(q[i, $1]) }
      let inner = (0..<n).reduce(0.0) { $0 + Double(q[i, $1]) * Double(z[$1]) }
      call.losses?[i] = mass * logSum - inner
      if let gradient {
        for j in 0..<n {
          gradient[j] = S(call.scale * (mass * exp(Double(z[j]) - logSum) - Double(q[i, j])))
        }
      }
      return
    }
    var (label, ε) = (0, 0.0)
    switch labels {
    case .given(.classes(let classes)): (label, ε) = (classes[i], smoothing)
    case .drawn(let stream): label = draw(stream.unit(i), z, n, logSum)
    default: break
    }
    let mean = ε == 0 ? 0 : (0..<n).reduce(0.0) { $0 + Double(z[$1]) } / Double(n)
    call.losses?[i] = logSum - (1 - ε) * Double(z[label]) - ε * mean
    if let gradient {
      for j in 0..<n {
        let q = ε / Double(n) + (j == label ? 1 - ε : 0)
        gradient[j] = S(call.scale * (exp(Double(z[j]) - logSum) - q))
      }
    }
  }

  /// The class in whose stretch of the cumulated probabilities u lies.
  private static func draw<S: KernelScalar>(_ u: Double, _ z: UnsafePointer<S>, _ n: Int, _ logSum: Double)
    -> Int
  {
    var cumulated = 0.0
    for j in 0..<n {
      cumulated += exp(Double(z[j]) - logSum)
      if u < cumulated { return j }
    }
    return n - 1
  }
}
