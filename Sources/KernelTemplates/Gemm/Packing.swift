// Packing: a k block of an operand copied into panels, so that the micro-kernel reads memory strictly in order.
//
//     panel q, step p, lane l  →  target[(q · depth + p) · stride + l]
//
// For A the lanes of a panel are rows (at most MR of them, stride rounded up to whole vectors), for B columns (NR).
// Lanes between the panel's width and its stride hold anything: nobody uses them.

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// One panel, by the way its source lies in memory.
  @_alwaysEmitIntoClient @inline(never)
  public static func packPanel(
    _ source: UnsafePointer<Scalar>, count: Int, laneStride: Int, depthStride: Int, depth: Int,
    to target: UnsafeMutablePointer<Scalar>, stride: Int
  ) {
    if laneStride == 1 {
      copyPanel(source, count: count, depthStride: depthStride, depth: depth, to: target, stride: stride)
    } else if depthStride == 1 {
      transposePanel(source, count: count, laneStride: laneStride, depth: depth, to: target, stride: stride)
    } else {
      for p in 0..<depth {
        for l in 0..<count { target[p &* stride &+ l] = source[l &* laneStride &+ p &* depthStride] }
      }
    }
  }

  /// `count` full panels of B side by side, row by row. Rows may be far apart: each is prefetched four rows early.
  @_alwaysEmitIntoClient @inline(never)
  public static func copyPanels(
    _ source: UnsafePointer<Scalar>, count: Int, depthStride: Int, depth: Int,
    to target: UnsafeMutablePointer<Scalar>
  ) {
    let rowsAhead = 4
    for p in 0..<depth {
      var from = source + p &* depthStride
      var to = target + p &* tileColumns
      for _ in 0..<count {
        let (left, right) = (load(from), load(from + lanes))
        prefetchRow(Self.self, from + (rowsAhead &* depthStride), vectors: 2)
        store(left, to: to)
        store(right, to: to + lanes)
        from += tileColumns
        to += depth &* tileColumns
      }
    }
  }

  /// Lanes are adjacent: rows are copied.
  @_alwaysEmitIntoClient @inline(__always)
  public static func copyPanel(
    _ source: UnsafePointer<Scalar>, count: Int, depthStride: Int, depth: Int,
    to target: UnsafeMutablePointer<Scalar>, stride: Int
  ) {
    var from = source
    var to = target
    if count == 2 &* lanes {
      for _ in 0..<depth {
        let (left, right) = (load(from), load(from + lanes))
        store(left, to: to)
        store(right, to: to + lanes)
        from += depthStride
        to += stride
      }
      return
    }
    let whole = count / lanes &* lanes
    let rest = mask(first: count &- whole)
    for _ in 0..<depth {
      var l = 0
      while l < whole {
        store(load(from + l), to: to + l)
        l &+= lanes
      }
      if whole < count { store(load(from + whole, rest), to: to + whole) }
      from += depthStride
      to += stride
    }
  }

  /// Steps of k are adjacent: a transposition.
  @_alwaysEmitIntoClient @inline(__always)
  public static func transposePanel(
    _ source: UnsafePointer<Scalar>, count: Int, laneStride: Int, depth: Int,
    to target: UnsafeMutablePointer<Scalar>, stride: Int
  ) {
    // Vectors of lanes in turn every few lines, so that a step is written at one time.
    let part = count <= lanes ? depth : 8 &* lanes
    var p = 0
    while p < depth {
      var l = 0
      while l < count {
        transposeRows(
          source + (l &* laneStride &+ p), count: min(lanes, count &- l), rowStride: laneStride,
          depth: min(part, depth &- p), to: target + (p &* stride &+ l), stride: stride,
          isLong: depth >= 8 &* lanes)
        l &+= lanes
      }
      p &+= part
    }
  }
}
