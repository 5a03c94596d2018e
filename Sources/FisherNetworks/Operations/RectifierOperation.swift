import FisherLinearAlgebra

/// y = x if x > 0, else slope·x, where it cannot be the end of a product.
struct RectifierOperation<Scalar: KernelScalar>: Operation {
  let slope: Scalar

  func forward(_ call: NodeCall<Scalar>) {
    Self.map(call.input, call.output, slope, threads: call.threads)
  }

  func backward(_ call: NodeCall<Scalar>) {
    guard let target = call.inputGradient else { return }
    Self.pull(call.input, call.outputGradient.readOnly, target, slope, call.inputBeta, threads: call.threads)
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private static func map(
    _ x: MatrixPointer<Scalar>, _ y: MutableMatrixPointer<Scalar>, _ slope: Scalar, threads: Int
  ) {
    Stretches.perform(x.rows * x.columns, threads: threads) { range in
      for i in range { y.base[i] = x.base[i] > 0 ? x.base[i] : slope * x.base[i] }
    }
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private static func pull(
    _ x: MatrixPointer<Scalar>, _ dy: MatrixPointer<Scalar>, _ dx: MutableMatrixPointer<Scalar>,
    _ slope: Scalar, _ beta: Scalar, threads: Int
  ) {
    Stretches.perform(x.rows * x.columns, threads: threads) { range in
      for i in range {
        let term = x.base[i] > 0 ? dy.base[i] : slope * dy.base[i]
        dx.base[i] = beta == 0 ? term : dx.base[i] + term
      }
    }
  }
}

/// Elementwise work cut into stretches that fit the first-level cache.
enum Stretches {
  static var length: Int { 4096 }

  @inline(__always)
  static func perform(_ count: Int, threads: Int, _ task: (Range<Int>) -> Void) {
    let tasks = (count + length - 1) / length
    Parallel.perform(tasks, threads: tasks < 8 ? 1 : threads) { i in
      task(i * length..<min(count, (i + 1) * length))
    }
  }
}
