import KernelTemplates

/// Matrices of a batch, one in each lane of a vector: at most as many as there are lanes.
///
/// Groups begin at multiples of the lanes, and these divide the width of what is interleaved.
struct LaneGroup<S: KernelScalar> {
  let kernels: any KernelSet<S>.Type
  /// L, asked of the kernels once for all groups.
  let lanes: Int
  /// The number of the first matrix.
  var first: Int
  /// How many there are: fewer than lanes at the end of a batch.
  var count: Int

  /// The group behind this one, in a batch of `total` matrices; an empty one behind the last.
  @inline(__always)
  func next(of total: Int) -> LaneGroup {
    LaneGroup(
      kernels: kernels, lanes: lanes, first: first + lanes, count: max(0, min(lanes, total - first - lanes)))
  }

  /// Copies vectors at one distance to another distance.
  @inline(__always)
  func copy(
    _ vectors: Int, from source: UnsafeMutablePointer<S>, _ sourceStride: Int,
    to target: UnsafeMutablePointer<S>, _ targetStride: Int
  ) {
    if sourceStride == lanes && targetStride == lanes {
      return target.update(from: source, count: vectors * lanes)
    }
    for i in 0..<vectors {
      (target + i * targetStride).update(from: source + i * sourceStride, count: lanes)
    }
  }

  /// Zeros in the lanes beyond the last matrix.
  @inline(__always)
  func clearRest(of vectors: UnsafeMutablePointer<S>, count vectorCount: Int) {
    clearLanes(of: vectors, from: count, vectors: vectorCount, lanes)
  }
}

/// Zeros in the lanes from the given one on.
@inline(__always)
func clearLanes<S: KernelScalar>(
  of group: UnsafeMutablePointer<S>, from first: Int, vectors: Int, _ lanes: Int
) {
  if first >= lanes { return }
  for i in 0..<vectors { (group + i * lanes + first).update(repeating: 0, count: lanes - first) }
}
