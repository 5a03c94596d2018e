// The loops over packed panels: see CholeskyPanels.swift.

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  @_alwaysEmitIntoClient
  public static func factorPanels(_ call: CholeskyCall<Scalar>) {
    let place = call.place
    for panel in 0..<place.panels {
      let tiles = Partition(place.columns(panel), limit: panelRows)
      if !call.isFactored {
        for t in 0..<tiles.parts {
          factorTile(call, panel, panel &* tileColumns &+ tiles.start(t), tiles.size(t))
          if call.rule.pointee.firstBad >= 0 { return }
        }
        // All rows of the panel meet another one while that is near.
        for j in panel &+ 1..<max(place.panels, panel &+ 1) { solveRight(call, panel, tiles, j) }
      }
      if call.v != nil { for j in 0...panel { solveLeft(call, panel, tiles, j) } }
    }
  }

  /// The rows of a tile at their pivots. Vectors left of the pivots are left out.
  @_alwaysEmitIntoClient @inline(__always)
  static func factorTile(_ call: CholeskyCall<Scalar>, _ panel: Int, _ start: Int, _ rows: Int) {
    let column = start &- panel &* tileColumns
    let skipped = column >= lanes ? lanes : 0
    let x = call.u + call.place.upper(panel)
    let tile = PackedTile(
      depth: start, a: UnsafePointer(x + column), x: x + skipped, roots: call.roots + start)
    let pivots = PivotPlace(
      square: x + (start &* tileColumns &+ column), stride: tileColumns,
      raw: call.scratch, column: column &- skipped, roots: call.roots + start, rule: call.rule, index: start)
    runTriangle(
      vectors: call.place.vectors(panel, lanes) &- skipped / lanes, rows: rows,
      PackedFactor<Self>(tile, pivots))
  }

  /// The rows of a panel in panel j to the right.
  @_alwaysEmitIntoClient @inline(__always)
  static func solveRight(_ call: CholeskyCall<Scalar>, _ panel: Int, _ tiles: Partition, _ j: Int) {
    let (a, x) = (call.u + call.place.upper(panel), call.u + call.place.upper(j))
    for t in 0..<tiles.parts {
      let start = panel &* tileColumns &+ tiles.start(t)
      let tile = PackedTile(
        depth: start, a: UnsafePointer(a + tiles.start(t)), x: x, roots: call.roots + start)
      runTriangle(
        vectors: call.place.vectors(j, lanes), rows: tiles.size(t), PackedSolve<Self>(tile))
    }
  }

  /// The rows of a panel in panel j of V, which ends with them.
  @_alwaysEmitIntoClient @inline(__always)
  static func solveLeft(_ call: CholeskyCall<Scalar>, _ panel: Int, _ tiles: Partition, _ j: Int) {
    guard let v = call.v else { return }
    let top = j &* tileColumns
    let a = call.u + (call.place.upper(panel) &+ top &* tileColumns)
    let x = v + (call.place.lower(j) &+ top &* tileColumns)
    if j == panel { writeIdentity(x, tiles.count) }
    for t in 0..<tiles.parts {
      let start = panel &* tileColumns &+ tiles.start(t)
      let tile = PackedTile(
        depth: start &- top, a: UnsafePointer(a + tiles.start(t)), x: x, reads: j == panel,
        roots: call.roots + start)
      runTriangle(
        vectors: call.place.vectors(j, lanes), rows: tiles.size(t), PackedSolve<Self>(tile))
    }
  }

  /// The first rows of the identity.
  @_alwaysEmitIntoClient @inline(__always)
  static func writeIdentity(_ x: UnsafeMutablePointer<Scalar>, _ rows: Int) {
    for i in 0..<rows {
      let row = x + i &* tileColumns
      store(zero, to: row)
      store(zero, to: row + lanes)
      row[i] = 1
    }
  }
}

extension PackedTriangle {
  /// How many vectors hold the columns of panel j.
  @_alwaysEmitIntoClient @inline(__always)
  func vectors(_ j: Int, _ lanes: Int) -> Int { columns(j) <= lanes ? 1 : 2 }
}

/// C ← Vᵀ·V on the lower triangle of C, with V = U⁻ᵀ in panels: the inverse.
@frozen
public struct InverseCall<Scalar> {
  public var place: PackedTriangle<Scalar>
  public var v: UnsafePointer<Scalar>
  /// n × n, any strides.
  public var c: MutableMatrixPointer<Scalar>
  /// See ``BlockPlan/residentBytes``.
  public var residentBytes: Int
  /// Room for one tile.
  public var scratch: UnsafeMutablePointer<Scalar>

  @_alwaysEmitIntoClient @inline(__always)
  public init(
    place: PackedTriangle<Scalar>, v: UnsafePointer<Scalar>, c: MutableMatrixPointer<Scalar>,
    residentBytes: Int, scratch: UnsafeMutablePointer<Scalar>
  ) {
    self.residentBytes = residentBytes
    self.place = place
    self.v = v
    self.c = c
    self.scratch = scratch
  }
}

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  @_alwaysEmitIntoClient
  public static func multiplyPanels(_ call: InverseCall<Scalar>) {
    let place = call.place
    for panel in 0..<place.panels {
      let tiles = Partition(place.columns(panel), limit: panelRows)
      for j in 0...panel {
        for t in 0..<tiles.parts {
          multiplyTile(call, panel, panel &* tileColumns &+ tiles.start(t), tiles.size(t), j)
        }
      }
    }
  }

  /// Rows of V above the tile's first row are zero in its columns.
  @_alwaysEmitIntoClient @inline(__always)
  static func multiplyTile(
    _ call: InverseCall<Scalar>, _ panel: Int, _ start: Int, _ rows: Int, _ j: Int
  ) {
    let (place, column) = (call.place, start &- panel &* tileColumns)
    let a = call.v + (place.lower(panel) &+ start &* tileColumns &+ column)
    let b = call.v + (place.lower(j) &+ start &* tileColumns)
    let columns = j == panel ? column &+ rows : place.columns(j)
    var block = BlockCall(
      a: BlockOperand(a, laneStride: 1, depthStride: tileColumns, isPacked: true),
      b: BlockOperand(b, laneStride: 1, depthStride: tileColumns, isPacked: true), c: call.c,
      depth: place.order &- start, alpha: 1, beta: 0, region: .lower(diagonal: 0),
      plan: BlockPlan(residentBytes: call.residentBytes), scratch: call.scratch)
    multiplyTiles(&block, a: a, b: b, start, j &* tileColumns, rows: rows, columns: columns, Ahead())
  }
}
