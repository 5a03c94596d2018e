import FisherLinearAlgebra
import FisherRuntime

/// One evaluation of a loss on bare pointers.
struct LossCall<Scalar: KernelScalar> {
  let backend: any Backend
  /// A row for each loss.
  let outputs: MatrixPointer<Scalar>
  /// dL/dOutputs, each row's gradient times `scale`; nil if not wanted.
  let gradients: MutableMatrixPointer<Scalar>?
  let scale: Double
  /// The losses of the rows; nil if not wanted.
  let losses: UnsafeMutablePointer<Double>?
  /// How much each row counts; nil for 1.
  let rowWeights: UnsafePointer<Double>?
  let threads: Int
}

/// Where the labels of a row come from.
enum LabelSource<Scalar: KernelScalar> {
  case given(Labels<Scalar>)
  /// Drawn from the distribution that the outputs describe.
  case drawn(RandomStream)
}

/// Some rows of an evaluation, with room for as many elements as they have: the gradients if they are wanted.
struct LossRows<Scalar: KernelScalar> {
  let call: LossCall<Scalar>
  let first: Int
  let count: Int
  let room: UnsafeMutablePointer<Scalar>

  var columns: Int { call.outputs.columns }
  var outputs: MatrixPointer<Scalar> { call.outputs.block(first, 0, rows: count, columns: columns) }
  var target: MutableMatrixPointer<Scalar> {
    MutableMatrixPointer(room, rows: count, columns: columns, rowStride: columns, columnStride: 1)
  }
}

extension LossCall {
  /// Rows of a task: some 8192 elements.
  private var taskRows: Int { max(1, 8192 / outputs.columns) }

  /// Calls `body` for stretches of rows; rows do not see one another, so the bits do not depend on the threads.
  func forEachStretch(_ body: (LossRows<Scalar>) -> Void) {
    let (rows, columns) = (outputs.rows, outputs.columns)
    Parallel.perform((rows + taskRows - 1) / taskRows, threads: threads) { task in
      let first = task * taskRows
      let count = min(taskRows, rows - first)
      if let gradients {
        body(LossRows(call: self, first: first, count: count, room: gradients.base + first * columns))
      } else {
        Scratch.with(count * columns, of: Scalar.self) {
          body(LossRows(call: self, first: first, count: count, room: $0))
        }
      }
    }
  }
}

extension LossFunction {
  /// How many words of a stream the drawn labels of a row take.
  func wordsPerRow(_ columns: Int) -> Int {
    switch self {
    case .softmaxCrossEntropy, .weightedCrossEntropy: 1
    case .binaryCrossEntropy: columns
    case .squaredError: 2 * columns
    }
  }

  /// Losses and gradients of all rows.
  func evaluate<S: KernelScalar>(_ call: LossCall<S>, _ labels: LabelSource<S>) {
    call.forEachStretch { rows in
      switch self {
      case .softmaxCrossEntropy(let smoothing), .weightedCrossEntropy(_, let smoothing):
        SoftmaxCrossEntropy.evaluate(rows, labels, smoothing)
      case .binaryCrossEntropy: BinaryCrossEntropy.evaluate(rows, labels)
      case .squaredError: SquaredError.evaluate(rows, labels)
      }
    }
  }

  /// Traps unless the labels fit outputs of this shape.
  func require<S: KernelScalar>(_ labels: Labels<S>, rows: Int, columns: Int) {
    if case .weightedCrossEntropy(let weights, _) = self {
      FisherRuntime.require(
        weights.count == columns, "Workspace: weights of \(weights.count) classes for \(columns) outputs")
    }
    switch (self, labels) {
    case (.softmaxCrossEntropy, .classes(let classes)), (.weightedCrossEntropy, .classes(let classes)):
      FisherRuntime.require(
        classes.count == rows, "Workspace: \(classes.count) classes for \(rows) rows of outputs")
      for (row, label) in classes.enumerated() {
        FisherRuntime.require(
          label >= -1 && label < columns, "Workspace: class \(label) in row \(row) of \(columns) outputs")
      }
    case (.weightedCrossEntropy, .values):
      FisherRuntime.require(false, "Workspace: a loss with weights of classes has classes, no values")
    case (_, .classes): FisherRuntime.require(false, "Workspace: this loss has no classes, but values")
    case (_, .values(let values)):
      FisherRuntime.require(
        values.count == rows * columns && values.isContiguous,
        "Workspace: labels of \(values.rows)×\(values.columns) for outputs of \(rows)×\(columns), without gaps"
      )
    }
  }
}

extension LossFunction {
  /// How much each row counts; nil if all count alike.
  func rowWeights<S: KernelScalar>(_ labels: Labels<S>) -> [Double]? {
    guard case .classes(let classes) = labels else { return nil }
    if case .weightedCrossEntropy(let weights, _) = self {
      return classes.map { $0 < 0 ? 0 : weights[$0] }
    }
    return classes.contains(-1) ? classes.map { $0 < 0 ? 0 : 1 } : nil
  }
}
