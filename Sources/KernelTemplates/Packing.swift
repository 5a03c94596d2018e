// Packing: a k block of an operand copied into panels, so that the micro-kernel reads memory strictly in order.
//
//     panel q, step p, lane l  →  target[(q · depth + p) · stride + l]
//
// For A the lanes of a panel are rows (at most MR of them, stride rounded up to whole vectors), for B columns (NR).
// Lanes between the panel's width and its stride hold anything: nobody uses them.

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// One panel, by the way its source lies in memory.
  @inlinable @inline(never)
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

  /// `count` full panels of B side by side, row by row.
  @inlinable @inline(never)
  public static func copyPanels(
    _ source: UnsafePointer<Scalar>, count: Int, depthStride: Int, depth: Int,
    to target: UnsafeMutablePointer<Scalar>
  ) {
    for p in 0..<depth {
      var from = source + p &* depthStride
      var to = target + p &* tileColumns
      for _ in 0..<count {
        let (left, right) = (load(from), load(from + lanes))
        store(left, to: to)
        store(right, to: to + lanes)
        from += tileColumns
        to += depth &* tileColumns
      }
    }
  }

  /// Lanes are adjacent: rows are copied.
  @inlinable @inline(__always)
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

  /// Steps of k are adjacent: a transposition, in blocks of `lanes` rows by 16 bytes.
  @inlinable @inline(__always)
  public static func transposePanel(
    _ source: UnsafePointer<Scalar>, count: Int, laneStride: Int, depth: Int,
    to target: UnsafeMutablePointer<Scalar>, stride: Int
  ) {
    let group = 16 / MemoryLayout<Scalar>.size
    let blocks = depth / group
    var l = 0
    while l < count {
      var from = source + l &* laneStride
      var to = target + l
      let lastLane = count &- l &- 1
      for _ in 0..<blocks {
        transposeBlock(from, laneStride, lastLane: lastLane, to: to, stride)
        from += group
        to += group &* stride
      }
      for p in blocks &* group..<depth {
        for lane in 0...min(lanes &- 1, lastLane) {
          target[p &* stride &+ l &+ lane] = source[(l &+ lane) &* laneStride &+ p]
        }
      }
      l &+= lanes
    }
  }

  /// 16 bytes from each of `lanes` rows, transposed. Rows beyond `lastLane` repeat it, so that nothing else is read.
  ///
  /// Vector i is joined from 16-byte pieces of the rows i, i + g, i + 2g …; g vectors are then transposed within
  /// each 16 bytes, where g is the number of elements in 16 bytes.
  @inlinable @inline(__always)
  public static func transposeBlock(
    _ source: UnsafePointer<Scalar>, _ laneStride: Int, lastLane: Int,
    to target: UnsafeMutablePointer<Scalar>,
    _ stride: Int
  ) {
    if MemoryLayout<Scalar>.size == 8 {
      let r0 = joined(source, laneStride, 0, lastLane)
      let r1 = joined(source, laneStride, 1, lastLane)
      store(interleaved(r0, r1, unit: 1, high: 0), to: target)
      store(interleaved(r0, r1, unit: 1, high: 1), to: target + stride)
    } else {
      let r0 = joined(source, laneStride, 0, lastLane)
      let r1 = joined(source, laneStride, 1, lastLane)
      let r2 = joined(source, laneStride, 2, lastLane)
      let r3 = joined(source, laneStride, 3, lastLane)
      let low01 = interleaved(r0, r1, unit: 1, high: 0)
      let high01 = interleaved(r0, r1, unit: 1, high: 1)
      let low23 = interleaved(r2, r3, unit: 1, high: 0)
      let high23 = interleaved(r2, r3, unit: 1, high: 1)
      store(interleaved(low01, low23, unit: 2, high: 0), to: target)
      store(interleaved(low01, low23, unit: 2, high: 1), to: target + stride)
      store(interleaved(high01, high23, unit: 2, high: 0), to: target + 2 &* stride)
      store(interleaved(high01, high23, unit: 2, high: 1), to: target + 3 &* stride)
    }
  }

  /// A vector of 16-byte pieces of the rows `first`, `first` + g, `first` + 2g …
  @inlinable @inline(__always)
  public static func joined(_ source: UnsafePointer<Scalar>, _ laneStride: Int, _ first: Int, _ lastLane: Int)
    -> Vector
  {
    // Each piece is loaded whole: from single elements the compiler would build each vector lane by lane.
    var result = Vector()
    var lane = 0
    while lane < lanes {
      let row = UnsafeRawPointer(source + min(first &+ lane, lastLane) &* laneStride)
      if MemoryLayout<Scalar>.size == 8 {
        insert(row.loadUnaligned(as: SIMD2<Scalar>.self), at: lane, of: &result)
        lane &+= 2
      } else {
        insert(row.loadUnaligned(as: SIMD4<Scalar>.self), at: lane, of: &result)
        lane &+= 4
      }
    }
    return result
  }

  @inlinable @inline(__always)
  public static func insert<Piece: SIMD>(_ piece: Piece, at lane: Int, of vector: inout Vector)
  where Piece.Scalar == Scalar {
    var e = 0
    while e < Piece.scalarCount {
      vector[lane &+ e] = piece[e]
      e &+= 1
    }
  }

  /// Within each 16 bytes, `unit` elements of x and of y in turn, from their low or high halves.
  @inlinable @inline(__always)
  public static func interleaved(_ x: Vector, _ y: Vector, unit: Int, high: Int) -> Vector {
    let group = 16 / MemoryLayout<Scalar>.size
    var result = x
    var base = 0
    while base < lanes {
      let half = base &+ high &* group / 2
      var e = 0
      while e < group / 2 {
        let to = base &+ e / unit &* 2 &* unit &+ e % unit
        result[to] = x[half &+ e]
        result[to &+ unit] = y[half &+ e]
        e &+= 1
      }
      base &+= group
    }
    return result
  }
}
