import KernelTemplates

/// Copies matrices from one form to another.
struct LaneCopy<S: KernelScalar>: LaneWork {
  var count: Int
  var source: BatchOperand<S>
  var target: BatchOperand<S>

  /// Only the lower triangles are there, or wanted.
  private var isLower: Bool { source.form == .interleavedTriangles || target.form == .interleavedTriangles }

  var cost: Int { 10 * source.rows * source.columns }
  var scratch: Int { source.rows * source.columns }

  func run(_ group: LaneGroup<S>, _ scratch: UnsafeMutablePointer<S>) {
    if isLower {
      source.loadLower(group, to: scratch)
      target.storeSymmetric(group, from: scratch)
    } else {
      source.load(group, to: scratch)
      target.store(group, from: scratch)
    }
  }
}

/// B ← β·A + α·Σ x·xᵀ on interleaved triangles, over samples of vectors in rows.
struct LaneOuterProducts<S: KernelScalar>: LaneWork {
  var call: BatchedOuterProducts<S>

  var order: Int { call.source.rows }
  var count: Int { call.samples.rows }
  var cost: Int { call.sampleCount * order * (order + 10) }
  var scratch: Int { order }

  func run(_ group: LaneGroup<S>, _ scratch: UnsafeMutablePointer<S>) {
    let (source, target) = (call.source.start(group.first), call.target.start(group.first))
    for s in 0..<call.sampleCount {
      var sample = call.samples
      sample.base += s * call.sampleStride
      BatchOperand(readingRows: sample).load(group, to: scratch)
      group.clearRest(of: scratch, count: order)
      group.kernels.addOuterProduct(
        scratch, n: order, alpha: call.alpha, beta: s == 0 ? call.beta : 1,
        s == 0 ? source : target, to: target, stride: BatchOperand<S>.width)
    }
  }
}

/// y ← A·x on interleaved triangles, with vectors in rows.
struct LaneMultiply<S: KernelScalar>: LaneWork {
  var call: BatchedProducts<S>

  var order: Int { call.matrices.rows }
  var count: Int { call.x.rows }
  var cost: Int { order * (order + 20) }
  var scratch: Int { 2 * order }

  func run(_ group: LaneGroup<S>, _ scratch: UnsafeMutablePointer<S>) {
    let product = scratch + order * group.lanes
    BatchOperand(readingRows: call.x).load(group, to: scratch)
    group.kernels.multiplySymmetric(
      call.matrices.start(group.first), stride: BatchOperand<S>.width, n: order, scratch, to: product)
    BatchOperand(rows: call.y).store(group, from: product)
  }
}

extension BatchOperand {
  /// The rows of a matrix, each a matrix of one row.
  init(rows matrix: MutableMatrixPointer<S>) {
    self.init(
      matrix.base, rows: 1, columns: matrix.columns, stride: matrix.rowStride,
      .arrays(rowStride: 0, columnStride: matrix.columnStride))
  }

  /// The rows of a matrix that will only be read.
  init(readingRows matrix: MatrixPointer<S>) {
    self.init(
      UnsafeMutablePointer(mutating: matrix.base), rows: 1, columns: matrix.columns,
      stride: matrix.rowStride, .arrays(rowStride: 0, columnStride: matrix.columnStride))
  }
}
