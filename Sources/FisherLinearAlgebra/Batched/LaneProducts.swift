import KernelTemplates

/// Copies matrices from one form to another.
struct LaneCopy<S: KernelScalar>: LaneWork {
  var rows: Int
  var columns: Int
  /// Only the lower triangles are read.
  var isLower: Bool
  var count: Int
  var source: LaneMatrices<S>
  var target: LaneMatrices<S>

  var cost: Int { 10 * rows * columns }
  var scratch: Int { rows * columns + (isLower ? Packed.count(rows) : 0) }

  func run(_ g: Int, count: Int, _ kernels: any KernelSet<S>.Type, _ scratch: UnsafeMutablePointer<S>) {
    let packed = scratch + rows * columns * kernels.shape.lanes
    if isLower {
      source.loadLower(g, count: count, n: rows, kernels, to: scratch, packed)
    } else {
      source.load(g, count: count, rows: rows, columns: columns, kernels, to: scratch)
    }
    target.store(g, count: count, rows: rows, columns: columns, kernels, from: scratch, packed)
  }
}

/// A ← β·A + α·Σ x·xᵀ on packed lanes, over samples of vectors in rows.
struct LaneOuterProducts<S: KernelScalar>: LaneWork {
  var order: Int
  var count: Int
  var sampleCount: Int
  /// Elements from one sample to the next.
  var sampleStride: Int
  var samples: MatrixPointer<S>
  var alpha: S
  var beta: S
  var target: LaneMatrices<S>

  var cost: Int { sampleCount * order * (order + 10) }
  var scratch: Int { order }

  func run(_ g: Int, count: Int, _ kernels: any KernelSet<S>.Type, _ scratch: UnsafeMutablePointer<S>) {
    for s in 0..<sampleCount {
      var sample = samples
      sample.base += s * sampleStride
      LaneMatrices.rows(reading: sample)
        .load(g, count: count, rows: 1, columns: order, kernels, to: scratch)
      kernels.addOuterProduct(
        scratch, n: order, alpha: alpha, beta: s == 0 ? beta : 1, to: target.base + g * target.stride)
    }
  }
}

/// y ← A·x on packed lanes, with vectors in rows.
struct LaneMultiply<S: KernelScalar>: LaneWork {
  var order: Int
  var count: Int
  var matrices: LaneMatrices<S>
  var x: LaneMatrices<S>
  var y: LaneMatrices<S>

  var cost: Int { order * (order + 20) }
  var scratch: Int { 2 * order }

  func run(_ g: Int, count: Int, _ kernels: any KernelSet<S>.Type, _ scratch: UnsafeMutablePointer<S>) {
    let product = scratch + order * kernels.shape.lanes
    x.load(g, count: count, rows: 1, columns: order, kernels, to: scratch)
    kernels.multiplySymmetric(matrices.base + g * matrices.stride, n: order, scratch, to: product)
    y.store(g, count: count, rows: 1, columns: order, kernels, from: product, scratch)
  }
}

extension LaneMatrices {
  /// The rows of a matrix, each a matrix of one row.
  static func rows(_ matrix: MutableMatrixPointer<S>) -> LaneMatrices {
    LaneMatrices(
      matrix.base, stride: matrix.rowStride, .arrays(rowStride: 0, columnStride: matrix.columnStride))
  }

  /// The rows of a matrix that will only be read.
  static func rows(reading matrix: MatrixPointer<S>) -> LaneMatrices {
    LaneMatrices(
      UnsafeMutablePointer(mutating: matrix.base), stride: matrix.rowStride,
      .arrays(rowStride: 0, columnStride: matrix.columnStride))
  }
}
