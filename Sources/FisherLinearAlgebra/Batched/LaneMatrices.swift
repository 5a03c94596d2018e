import KernelTemplates

/// Where the matrices of a batch lie, and how a group of them comes into scratch memory and back.
struct LaneMatrices<S: KernelScalar> {
  enum Form {
    /// Matrices of their own, each `stride` elements from the last.
    case arrays(rowStride: Int, columnStride: Int)
    /// Lower triangles row by row, each `stride` elements from the last.
    case packedArrays
    /// Groups of vectors, each `stride` elements from the last.
    case lanes
    /// Packed groups of vectors, each `stride` elements from the last.
    case packedLanes
  }

  var base: UnsafeMutablePointer<S>
  var stride: Int
  var form: Form

  init(_ base: UnsafeMutablePointer<S>, stride: Int, _ form: Form) {
    self.base = base
    self.stride = stride
    self.form = form
  }

  /// Matrices in memory.
  init(_ first: MutableMatrixPointer<S>, stride: Int, isPacked: Bool = false) {
    self.init(
      first.base, stride: stride,
      isPacked
        ? .packedArrays : .arrays(rowStride: first.rowStride, columnStride: first.columnStride))
  }

  /// Matrices in memory that will only be read.
  init(reading first: MatrixPointer<S>, stride: Int, isPacked: Bool = false) {
    self.init(
      MutableMatrixPointer(
        UnsafeMutablePointer(mutating: first.base), rows: first.rows, columns: first.columns,
        rowStride: first.rowStride, columnStride: first.columnStride), stride: stride, isPacked: isPacked)
  }

  /// Reads group `g` of `count` symmetric or triangular matrices: the lower triangles of n × n vectors.
  @inline(__always)
  func loadLower(
    _ g: Int, count: Int, n: Int, _ kernels: any KernelSet<S>.Type, to group: UnsafeMutablePointer<S>,
    _ packed: UnsafeMutablePointer<S>
  ) {
    switch form {
    case .arrays: kernels.interleaveLower(matrices(g, count, kernels), n: n, to: group)
    case .packedArrays:
      kernels.interleave(matrices(g, count, kernels), rows: 1, columns: Packed.count(n), to: packed)
      kernels.expand(packed, n: n, to: group)
    case .lanes: group.update(from: base + g * stride, count: n * n * kernels.shape.lanes)
    case .packedLanes: kernels.expand(base + g * stride, n: n, to: group)
    }
  }

  /// Reads group `g` of `count` matrices of any kind.
  @inline(__always)
  func load(
    _ g: Int, count: Int, rows: Int, columns: Int, _ kernels: any KernelSet<S>.Type,
    to group: UnsafeMutablePointer<S>
  ) {
    switch form {
    case .arrays: kernels.interleave(matrices(g, count, kernels), rows: rows, columns: columns, to: group)
    default: group.update(from: base + g * stride, count: rows * columns * kernels.shape.lanes)
    }
  }

  /// Writes group `g` of `count` matrices; of packed ones the lower triangles.
  @inline(__always)
  func store(
    _ g: Int, count: Int, rows: Int, columns: Int, _ kernels: any KernelSet<S>.Type,
    from group: UnsafeMutablePointer<S>, _ packed: UnsafeMutablePointer<S>
  ) {
    switch form {
    case .arrays:
      kernels.deinterleave(group, rows: rows, columns: columns, to: targets(g, count, kernels))
    case .packedArrays:
      kernels.compress(group, n: rows, to: packed)
      kernels.deinterleave(packed, rows: 1, columns: Packed.count(rows), to: targets(g, count, kernels))
    case .lanes: (base + g * stride).update(from: group, count: rows * columns * kernels.shape.lanes)
    case .packedLanes: kernels.compress(group, n: rows, to: base + g * stride)
    }
  }

  /// Writes group `g` of `count` symmetric matrices, of which the lower triangles are there.
  @inline(__always)
  func storeSymmetric(
    _ g: Int, count: Int, n: Int, _ kernels: any KernelSet<S>.Type, from group: UnsafeMutablePointer<S>,
    _ packed: UnsafeMutablePointer<S>
  ) {
    if case .arrays = form {
      kernels.deinterleaveSymmetric(group, n: n, to: targets(g, count, kernels))
    } else {
      if case .lanes = form { kernels.mirror(group, n, from: 0, to: n) }
      store(g, count: count, rows: n, columns: n, kernels, from: group, packed)
    }
  }

  /// Writes the n × n matrix of one lane; of a symmetric one the lower triangle is there.
  func storeLane(
    _ g: Int, _ lane: Int, n: Int, isSymmetric: Bool, _ kernels: any KernelSet<S>.Type,
    from group: UnsafeMutablePointer<S>
  ) {
    let lanes = kernels.shape.lanes
    for r in 0..<n {
      for c in 0..<n {
        let place = isSymmetric && c > r ? c * n + r : r * n + c
        let x = group[place * lanes + lane]
        switch form {
        case .arrays(let row, let column): base[(g * lanes + lane) * stride + r * row + c * column] = x
        case .packedArrays where r >= c: base[(g * lanes + lane) * stride + Packed.index(r, c)] = x
        case .lanes: base[g * stride + (r * n + c) * lanes + lane] = x
        case .packedLanes where r >= c: base[g * stride + Packed.index(r, c) * lanes + lane] = x
        default: break
        }
      }
    }
  }

  /// Where group `g` of `count` n × n matrices lies, if they lie side by side; else nothing.
  @inline(__always)
  func memory(_ g: Int, count: Int, n: Int, lanes: Int) -> (start: UnsafePointer<S>, count: Int) {
    var elements = 0
    switch form {
    case .arrays: elements = stride == n * n ? count * stride : 0
    case .packedArrays: elements = stride == Packed.count(n) ? count * stride : 0
    case .lanes: break
    case .packedLanes: elements = Packed.count(n) * lanes
    }
    return (UnsafePointer(base) + g * (isInLanes ? stride : lanes * stride), count == 0 ? 0 : elements)
  }

  @inline(__always)
  private var isInLanes: Bool {
    switch form {
    case .lanes, .packedLanes: true
    case .arrays, .packedArrays: false
    }
  }

  @inline(__always)
  private func targets(_ g: Int, _ count: Int, _ kernels: any KernelSet<S>.Type)
    -> MatrixGroup<UnsafeMutablePointer<S>>
  {
    var strides = (row: 0, column: 1)
    if case .arrays(let row, let column) = form { strides = (row, column) }
    return MatrixGroup(
      base + g * kernels.shape.lanes * stride, count: count, matrixStride: stride, rowStride: strides.row,
      columnStride: strides.column)
  }

  @inline(__always)
  private func matrices(_ g: Int, _ count: Int, _ kernels: any KernelSet<S>.Type)
    -> MatrixGroup<UnsafePointer<S>>
  {
    let group = targets(g, count, kernels)
    return MatrixGroup(
      UnsafePointer(group.base), count: group.count, matrixStride: group.matrixStride,
      rowStride: group.rowStride, columnStride: group.columnStride)
  }
}
