import FisherLinearAlgebra

/// One evaluation of a loss on bare pointers.
struct LossCall<Scalar: KernelScalar> {
  /// A row for each loss.
  let outputs: MatrixPointer<Scalar>
  /// dL/dOutputs, each row's gradient times `scale`; nil if not wanted.
  let gradients: MutableMatrixPointer<Scalar>?
  let scale: Double
  /// The losses of the rows; nil if not wanted.
  let losses: UnsafeMutablePointer<Double>?
  let threads: Int
}

/// Where the labels of a row come from.
enum LabelSource<Scalar: KernelScalar> {
  case given(Labels<Scalar>)
  /// Drawn from the distribution that the outputs describe.
  case drawn(RandomStream)
}

extension LossFunction {
  /// Losses and gradients of all rows; rows do not see one another, so the bits do not depend on the threads.
  func evaluate<S: KernelScalar>(_ call: LossCall<S>, _ labels: LabelSource<S>) {
    switch self {
    case .softmaxCrossEntropy(let smoothing): SoftmaxCrossEntropy.evaluate(call, labels, smoothing)
    }
  }

  /// Traps unless the labels fit outputs of this shape.
  func require<S: KernelScalar>(_ labels: Labels<S>, rows: Int, columns: Int) {
    switch (self, labels) {
    case (.softmaxCrossEntropy, .classes(let classes)):
      FisherLinearAlgebra.require(
        classes.count == rows, "Workspace: \(classes.count) classes for \(rows) rows of outputs")
      for (row, label) in classes.enumerated() {
        FisherLinearAlgebra.require(
          label >= 0 && label < columns, "Workspace: class \(label) in row \(row) of \(columns) outputs")
      }
    case (_, .values(let values)):
      FisherLinearAlgebra.require(
        values.rows == rows && values.columns == columns,
        "Workspace: labels \(values.rows)×\(values.columns) for outputs of \(rows)×\(columns)")
    }
  }
}
