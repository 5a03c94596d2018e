import KernelTemplates

// How the matrices of a group come into scratch memory and back.

extension BatchOperand {
  /// Reads symmetric or triangular matrices: the lower triangles of n × n vectors.
  @inline(__always)
  func loadLower(_ group: LaneGroup<S>, to vectors: UnsafeMutablePointer<S>) {
    let (n, start) = (rows, start(group.first))
    switch form {
    case .arrays: group.kernels.interleaveLower(arrays(start, group.count), n: n, to: vectors)
    case .interleaved: group.copy(n * n, from: start, Self.width, to: vectors, group.lanes)
    case .interleavedTriangles: group.kernels.expand(start, stride: Self.width, n: n, to: vectors)
    }
  }

  /// Reads matrices of any kind.
  @inline(__always)
  func load(_ group: LaneGroup<S>, to vectors: UnsafeMutablePointer<S>) {
    let start = start(group.first)
    switch form {
    case .arrays:
      group.kernels.interleave(arrays(start, group.count), rows: rows, columns: columns, to: vectors)
    default: group.copy(rows * columns, from: start, Self.width, to: vectors, group.lanes)
    }
  }

  /// Writes matrices; of triangles what is below the diagonal.
  ///
  /// Where matrices lie side by side, the lanes beyond the last one become zeros.
  @inline(__always)
  func store(_ group: LaneGroup<S>, from vectors: UnsafeMutablePointer<S>) {
    let start = start(group.first)
    switch form {
    case .arrays:
      group.kernels.deinterleave(vectors, rows: rows, columns: columns, to: arrays(start, group.count))
    case .interleaved:
      group.clearRest(of: vectors, count: rows * columns)
      group.copy(rows * columns, from: vectors, group.lanes, to: start, Self.width)
    case .interleavedTriangles:
      group.clearRest(of: vectors, count: rows * rows)
      group.kernels.compress(vectors, n: rows, to: start, stride: Self.width)
    }
  }

  /// Writes symmetric matrices, of which the lower triangles are there.
  @inline(__always)
  func storeSymmetric(_ group: LaneGroup<S>, from vectors: UnsafeMutablePointer<S>) {
    if case .arrays = form {
      group.kernels.deinterleaveSymmetric(
        vectors, n: rows, to: arrays(start(group.first), group.count))
    } else {
      if form == .interleaved { group.kernels.mirror(vectors, rows, from: 0, to: rows) }
      store(group, from: vectors)
    }
  }

  /// Writes the matrix in one lane; of a symmetric one the lower triangle is there.
  func storeLane(
    _ lane: Int, of group: LaneGroup<S>, isSymmetric: Bool, from vectors: UnsafeMutablePointer<S>
  ) {
    let n = rows
    for r in 0..<n {
      for c in 0..<n {
        let place = isSymmetric && c > r ? c * n + r : r * n + c
        self[group.first + lane, r, c] = vectors[place * group.lanes + lane]
      }
    }
  }

  /// Where the matrices of a group lie, if they lie side by side; else nothing.
  @inline(__always)
  func memory(_ group: LaneGroup<S>) -> (start: UnsafePointer<S>, count: Int) {
    var elements = 0
    switch form {
    case .arrays: elements = stride == rows * columns ? group.count * stride : 0
    case .interleaved: break
    case .interleavedTriangles: elements = group.count == 0 ? 0 : Packed.count(rows) * Self.width
    }
    return (UnsafePointer(start(group.first)), elements)
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
