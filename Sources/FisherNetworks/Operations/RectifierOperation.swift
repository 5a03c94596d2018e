import FisherLinearAlgebra

/// y = x if x > 0, else slope·x, where it cannot be the end of a product.
struct RectifierOperation<Scalar: KernelScalar>: Operation {
  let slope: Scalar

  func forward(_ call: NodeCall<Scalar>) {
    Self.map(call.input, call.output, slope, threads: call.threads)
  }

  func backward(_ call: NodeCall<Scalar>) {
    guard let target = call.inputGradient else { return }
    Self.pull(
      call.input, call.outputGradient.readOnly, target, slope, adds: call.addsInputGradient,
      threads: call.threads)
  }

  func pushForward(_ call: NodeCall<Scalar>) { pushForwardBySymmetry(call) }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private static func map(
    _ x: MatrixPointer<Scalar>, _ y: MutableMatrixPointer<Scalar>, _ slope: Scalar, threads: Int
  ) {
    Stretches.perform(x.rows * x.columns, threads: threads) { range in
      for i in range { y.base[i] = Rectifier(slope: slope)(x.base[i]) }
    }
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private static func pull(
    _ x: MatrixPointer<Scalar>, _ dy: MatrixPointer<Scalar>, _ dx: MutableMatrixPointer<Scalar>,
    _ slope: Scalar, adds: Bool, threads: Int
  ) {
    Stretches.perform(x.rows * x.columns, threads: threads) { range in
      for i in range {
        let term = x.base[i] > 0 ? dy.base[i] : slope * dy.base[i]
        dx.base[i] = adds ? dx.base[i] + term : term
      }
    }
  }
}
