// Matrices from memory into lanes and back: element (i, j) of L matrices side by side. Where the elements of a matrix
// are adjacent, squares of L × L are transposed in registers.

/// At most L matrices of one shape, `matrixStride` elements apart.
@frozen
public struct MatrixGroup<Pointer> {
  public var base: Pointer
  public var count: Int
  public var matrixStride: Int
  public var rowStride: Int
  public var columnStride: Int

  @_alwaysEmitIntoClient @inline(__always)
  public init(_ base: Pointer, count: Int, matrixStride: Int, rowStride: Int, columnStride: Int) {
    self.base = base
    self.count = count
    self.matrixStride = matrixStride
    self.rowStride = rowStride
    self.columnStride = columnStride
  }
}

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// Reads matrices into a group. Lanes beyond the count hold anything.
  @_alwaysEmitIntoClient
  public static func interleave(
    _ source: MatrixGroup<UnsafePointer<Scalar>>, rows: Int, columns: Int,
    to group: UnsafeMutablePointer<Scalar>
  ) {
    if source.columnStride == 1 && (source.rowStride == columns || rows == 1) {
      interleaveRow(source, 0, count: rows &* columns, to: group)
    } else if source.columnStride == 1 {
      for i in 0..<rows {
        interleaveRow(source, i &* source.rowStride, count: columns, to: group + i &* columns &* lanes)
      }
    } else {
      for i in 0..<rows { interleaveElements(source, i, count: columns, to: group + i &* columns &* lanes) }
    }
  }

  /// Reads the lower triangles into a group of n × n vectors; the upper ones hold anything.
  @_alwaysEmitIntoClient
  public static func interleaveLower(
    _ source: MatrixGroup<UnsafePointer<Scalar>>, n: Int, to group: UnsafeMutablePointer<Scalar>
  ) {
    if source.columnStride == 1 && source.rowStride == n && n <= 2 &* lanes {
      interleaveRow(source, 0, count: n &* n, to: group)
    } else if source.columnStride == 1 {
      for i in 0..<n {
        interleaveRow(source, i &* source.rowStride, count: i &+ 1, to: group + i &* n &* lanes)
      }
    } else {
      for i in 0..<n { interleaveElements(source, i, count: i &+ 1, to: group + i &* n &* lanes) }
    }
  }

  /// `count` adjacent elements of each matrix.
  @_alwaysEmitIntoClient @inline(never)
  static func interleaveRow(
    _ source: MatrixGroup<UnsafePointer<Scalar>>, _ offset: Int, count: Int,
    to group: UnsafeMutablePointer<Scalar>
  ) {
    transposeRows(
      source.base + offset, count: source.count, rowStride: source.matrixStride, depth: count, to: group,
      stride: lanes)
  }

  /// The first `count` elements of row i of each matrix, one by one. Lanes beyond the last matrix repeat it.
  @_alwaysEmitIntoClient @inline(__always)
  static func interleaveElements(
    _ source: MatrixGroup<UnsafePointer<Scalar>>, _ i: Int, count: Int,
    to group: UnsafeMutablePointer<Scalar>
  ) {
    for j in 0..<count {
      let element = source.base + (i &* source.rowStride &+ j &* source.columnStride)
      for l in 0..<lanes {
        group[j &* lanes &+ l] = element[min(l, source.count &- 1) &* source.matrixStride]
      }
    }
  }

  /// Writes a whole group to its matrices.
  @_alwaysEmitIntoClient
  public static func deinterleave(
    _ group: UnsafePointer<Scalar>, rows: Int, columns: Int,
    to target: MatrixGroup<UnsafeMutablePointer<Scalar>>
  ) {
    let isDense = target.rowStride == columns || rows == 1
    if target.columnStride == 1 && isDense && rows &* columns >= lanes {
      deinterleaveRow(group, count: rows &* columns, to: target, 0)
    } else if target.columnStride == 1 && columns >= lanes {
      for i in 0..<rows {
        deinterleaveRow(group + i &* columns &* lanes, count: columns, to: target, i &* target.rowStride)
      }
    } else {
      for l in 0..<target.count { deinterleaveLane(group, rows: rows, columns: columns, l, to: target) }
    }
  }

  /// `count` ≥ L adjacent elements of each matrix; the last square overlaps the one before.
  @_alwaysEmitIntoClient @inline(never)
  static func deinterleaveRow(
    _ group: UnsafePointer<Scalar>, count: Int, to target: MatrixGroup<UnsafeMutablePointer<Scalar>>,
    _ offset: Int
  ) {
    var e = 0
    while true {
      let start = min(e, count &- lanes)
      transposeSquare(
        SquareCall(
          rows: lanes, columns: target.count, source: group + start &* lanes, rowStride: lanes,
          target: target.base + (offset &+ start), targetStride: target.matrixStride))
      e &+= lanes
      if e >= count { return }
    }
  }

  /// Writes a whole group of symmetric matrices, given by their lower triangles, to its matrices.
  ///
  /// Where rows are many squares long, those right of the diagonal are read as columns: mirroring the group would cost as
  /// much as writing it. Overwrites the upper triangles with anything.
  @_alwaysEmitIntoClient
  public static func deinterleaveSymmetric(
    _ group: UnsafeMutablePointer<Scalar>, n: Int, to target: MatrixGroup<UnsafeMutablePointer<Scalar>>
  ) {
    if n < 4 &* lanes || target.columnStride != 1 {
      mirror(group, n, from: 0, to: n)
      return deinterleave(UnsafePointer(group), rows: n, columns: n, to: target)
    }
    // The last square of a row overlaps the one before.
    let end = n &- lanes
    var start = 0
    while start < n {
      mirror(group, n, from: min(start, end), to: min(start &+ lanes, n))
      start &+= lanes
    }
    for i in 0..<n {
      var j = 0
      while j < n {
        let c = min(j, end)
        let isRow = c &+ lanes <= i || c == i &- i % lanes || c == end && i >= end
        transposeSquare(
          SquareCall(
            rows: lanes, columns: target.count,
            source: UnsafePointer(group + (isRow ? i &* n &+ c : c &* n &+ i) &* lanes),
            rowStride: isRow ? lanes : n &* lanes, target: target.base + (i &* target.rowStride &+ c),
            targetStride: target.matrixStride))
        j &+= lanes
      }
    }
  }

  /// The upper triangles of a square at the diagonal from the lower ones.
  @_alwaysEmitIntoClient
  public static func mirror(_ group: UnsafeMutablePointer<Scalar>, _ n: Int, from start: Int, to end: Int) {
    for i in start..<end {
      for j in start..<i {
        store(load(UnsafePointer(group + (i &* n &+ j) &* lanes)), to: group + (j &* n &+ i) &* lanes)
      }
    }
  }

  /// Writes the matrix in one lane.
  @_alwaysEmitIntoClient
  public static func deinterleaveLane(
    _ group: UnsafePointer<Scalar>, rows: Int, columns: Int, _ lane: Int,
    to target: MatrixGroup<UnsafeMutablePointer<Scalar>>
  ) {
    let matrix = target.base + lane &* target.matrixStride
    for i in 0..<rows {
      for j in 0..<columns {
        matrix[i &* target.rowStride &+ j &* target.columnStride] =
          group[
            (i &* columns &+ j) &* lanes &+ lane]
      }
    }
  }

  /// Lower triangles from n·(n + 1)/2 vectors, `stride` elements apart, to their places among n × n.
  @_alwaysEmitIntoClient
  public static func expand(
    _ packed: UnsafePointer<Scalar>, stride: Int, n: Int, to group: UnsafeMutablePointer<Scalar>
  ) {
    var source = packed
    for i in 0..<n {
      for j in 0...i {
        store(load(source), to: group + (i &* n &+ j) &* lanes)
        source += stride
      }
    }
  }

  /// Lower triangles from their places among n × n vectors to n·(n + 1)/2, `stride` elements apart.
  @_alwaysEmitIntoClient
  public static func compress(
    _ group: UnsafePointer<Scalar>, n: Int, to packed: UnsafeMutablePointer<Scalar>, stride: Int
  ) {
    var target = packed
    for i in 0..<n {
      for j in 0...i {
        store(load(group + (i &* n &+ j) &* lanes), to: target)
        target += stride
      }
    }
  }

  /// A ← A + (absolute + relative · mean of the diagonal)·I in every lane.
  @_alwaysEmitIntoClient
  public static func damp(
    _ group: UnsafeMutablePointer<Scalar>, n: Int, absolute: Scalar, relative: Scalar
  ) {
    var damping = broadcast(absolute)
    if relative != 0 {
      // Element by element: their sum may leave the range where the mean does not.
      let share = broadcast(relative / Scalar(n))
      for i in 0..<n {
        damping = multiplyAdd(share, load(UnsafePointer(group + i &* (n &+ 1) &* lanes)), damping)
      }
    }
    for i in 0..<n {
      let x = group + i &* (n &+ 1) &* lanes
      store(multiplyAdd(one, load(UnsafePointer(x)), damping), to: x)
    }
  }
}
