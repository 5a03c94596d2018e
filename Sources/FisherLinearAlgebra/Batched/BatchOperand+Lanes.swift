import KernelTemplates

// How a group of as many matrices as a vector has lanes comes into scratch memory and back. Group g begins with matrix
// g·L; L divides the width of what is interleaved.

extension BatchOperand {
  /// Reads group `g` of `count` symmetric or triangular matrices: the lower triangles of n × n vectors.
  @inline(__always)
  func loadLower(
    _ g: Int, count: Int, _ kernels: any KernelSet<S>.Type, to group: UnsafeMutablePointer<S>
  ) {
    let (n, start) = (rows, start(g * kernels.shape.lanes))
    switch form {
    case .arrays: kernels.interleaveLower(arrays(start, count), n: n, to: group)
    case .interleaved:
      copyVectors(from: start, Self.width, count: n * n, to: group, kernels.shape.lanes, kernels)
    case .interleavedTriangles: kernels.expand(start, stride: Self.width, n: n, to: group)
    }
  }

  /// Reads group `g` of `count` matrices of any kind.
  @inline(__always)
  func load(
    _ g: Int, count: Int, _ kernels: any KernelSet<S>.Type, to group: UnsafeMutablePointer<S>
  ) {
    let start = start(g * kernels.shape.lanes)
    switch form {
    case .arrays: kernels.interleave(arrays(start, count), rows: rows, columns: columns, to: group)
    default:
      copyVectors(from: start, Self.width, count: rows * columns, to: group, kernels.shape.lanes, kernels)
    }
  }

  /// Writes group `g` of `count` matrices; of triangles what is below the diagonal.
  ///
  /// Where matrices lie side by side, the lanes beyond the last one become zeros.
  @inline(__always)
  func store(
    _ g: Int, count: Int, _ kernels: any KernelSet<S>.Type, from group: UnsafeMutablePointer<S>
  ) {
    let (lanes, start) = (kernels.shape.lanes, start(g * kernels.shape.lanes))
    switch form {
    case .arrays: kernels.deinterleave(group, rows: rows, columns: columns, to: arrays(start, count))
    case .interleaved:
      clearLanes(of: group, from: count, vectors: rows * columns, lanes)
      copyVectors(from: group, lanes, count: rows * columns, to: start, Self.width, kernels)
    case .interleavedTriangles:
      clearLanes(of: group, from: count, vectors: rows * rows, lanes)
      kernels.compress(group, n: rows, to: start, stride: Self.width)
    }
  }

  /// Writes group `g` of `count` symmetric matrices, of which the lower triangles are there.
  @inline(__always)
  func storeSymmetric(
    _ g: Int, count: Int, _ kernels: any KernelSet<S>.Type, from group: UnsafeMutablePointer<S>
  ) {
    if case .arrays = form {
      let start = start(g * kernels.shape.lanes)
      kernels.deinterleaveSymmetric(group, n: rows, to: arrays(start, count))
    } else {
      if form == .interleaved { kernels.mirror(group, rows, from: 0, to: rows) }
      store(g, count: count, kernels, from: group)
    }
  }

  /// Writes the matrix in one lane of group `g`; of a symmetric one the lower triangle is there.
  func storeLane(
    _ g: Int, _ lane: Int, isSymmetric: Bool, _ kernels: any KernelSet<S>.Type,
    from group: UnsafeMutablePointer<S>
  ) {
    let (n, lanes) = (rows, kernels.shape.lanes)
    for r in 0..<n {
      for c in 0..<n {
        let place = isSymmetric && c > r ? c * n + r : r * n + c
        self[g * lanes + lane, r, c] = group[place * lanes + lane]
      }
    }
  }

  /// Where group `g` of `count` matrices lies, if they lie side by side; else nothing.
  @inline(__always)
  func memory(_ g: Int, count: Int, lanes: Int) -> (start: UnsafePointer<S>, count: Int) {
    var elements = 0
    switch form {
    case .arrays: elements = stride == rows * columns ? count * stride : 0
    case .interleaved: break
    case .interleavedTriangles: elements = count == 0 ? 0 : Packed.count(rows) * Self.width
    }
    return (UnsafePointer(start(g * lanes)), elements)
  }

  @inline(__always)
  private func arrays(_ start: UnsafeMutablePointer<S>, _ count: Int) -> MatrixGroup<UnsafeMutablePointer<S>>
  {
    guard case .arrays(let rowStride, let columnStride) = form else { fatalError("matrices are interleaved") }
    return MatrixGroup(
      start, count: count, matrixStride: stride, rowStride: rowStride, columnStride: columnStride)
  }

  @inline(__always)
  private func arrays(_ start: UnsafeMutablePointer<S>, _ count: Int) -> MatrixGroup<UnsafePointer<S>> {
    let group: MatrixGroup<UnsafeMutablePointer<S>> = arrays(start, count)
    return MatrixGroup(
      UnsafePointer(group.base), count: group.count, matrixStride: group.matrixStride,
      rowStride: group.rowStride, columnStride: group.columnStride)
  }
}

/// `count` vectors at one distance to another distance.
@inline(__always)
private func copyVectors<S: KernelScalar>(
  from source: UnsafeMutablePointer<S>, _ sourceStride: Int, count: Int, to target: UnsafeMutablePointer<S>,
  _ targetStride: Int, _ kernels: any KernelSet<S>.Type
) {
  let lanes = kernels.shape.lanes
  if sourceStride == lanes && targetStride == lanes {
    return target.update(from: source, count: count * lanes)
  }
  for i in 0..<count { (target + i * targetStride).update(from: source + i * sourceStride, count: lanes) }
}

/// Zeros in the lanes from the given one on.
@inline(__always)
func clearLanes<S: KernelScalar>(
  of group: UnsafeMutablePointer<S>, from first: Int, vectors: Int, _ lanes: Int
) {
  if first >= lanes { return }
  for i in 0..<vectors { (group + i * lanes + first).update(repeating: 0, count: lanes - first) }
}
