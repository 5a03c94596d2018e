import FisherLinearAlgebra
import FisherRuntime

/// y = softmax(x) on the last axis.
struct SoftmaxOperation<Scalar: KernelScalar>: Operation {
  let features: Int
  private static var taskRows: Int { 64 }

  func forward(_ call: NodeCall<Scalar>) {
    let (x, y) = (call.input.reshaped(columns: features), call.output.reshaped(columns: features))
    perform(x.rows, call.threads) { first, count in
      call.backend.softmax(
        x.block(first, 0, rows: count, columns: features),
        to: y.block(first, 0, rows: count, columns: features),
        sums: nil)
    }
  }

  /// dx = y ⊙ (dy − ⟨y, dy⟩)
  func backward(_ call: NodeCall<Scalar>) {
    guard let target = call.inputGradient else { return }
    let (y, dy) = (call.output.readOnly.base, UnsafePointer(call.outputGradient.base))
    perform(call.count / features, call.threads) { first, count in
      for i in first..<first + count {
        let at = i * features
        Self.pull(y + at, dy + at, target.base + at, features, adds: call.addsInputGradient)
      }
    }
  }

  func pushForward(_ call: NodeCall<Scalar>) { pushForwardBySymmetry(call) }

  private func perform(_ rows: Int, _ threads: Int, _ body: (Int, Int) -> Void) {
    let tasks = (rows + Self.taskRows - 1) / Self.taskRows
    Parallel.perform(tasks, threads: rows * features < 16384 ? 1 : threads) { task in
      let first = task * Self.taskRows
      body(first, min(Self.taskRows, rows - first))
    }
  }

  /// dx ← y ⊙ (dy − ⟨y, dy⟩) for one row of n, or dx + that if `adds`. dx may be dy.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  static func pull(
    _ y: UnsafePointer<Scalar>, _ dy: UnsafePointer<Scalar>, _ dx: UnsafeMutablePointer<Scalar>, _ n: Int,
    adds: Bool
  ) {
    var inner = 0.0
    for j in 0..<n { inner += Double(y[j]) * Double(dy[j]) }
    for j in 0..<n {
      let term = y[j] * (dy[j] - Scalar(inner))
      dx[j] = adds ? dx[j] + term : term
    }
  }
}
