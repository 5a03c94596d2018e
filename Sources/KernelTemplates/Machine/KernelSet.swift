/// What a kernel module offers for one element type: the entry points that the drivers call through a table.
public protocol KernelSet<Scalar>:
  BatchedKernels, CholeskyKernels, ElementwiseKernels, EliminationKernels, ReflectorKernels, SecularKernels,
  TriangularKernels
{
  associatedtype Scalar

  /// Lanes of a vector, MR, NR, and the stride of a packed panel of A.
  static var shape: TileShape { get }

  /// The macro-kernel.
  static func multiplyBlock(_ call: BlockCall<Scalar>)
  /// Several k blocks of a product of a few elements: see Lockstep.swift.
  static func multiplyLockstep(_ call: BlockCall<Scalar>)
  /// A·x with contiguous rows: see RowChains.swift.
  static func multiplyInOrder(_ call: RowChainCall<Scalar>)
  /// A product that needs no loops around it: see SmallKernel.swift.
  static func multiplySmall(_ call: UnsafePointer<Gemm<Scalar>>, scratch: UnsafeMutablePointer<Scalar>?)
  /// Packs rows of A into panels of at most MR.
  static func packA(
    _ source: UnsafePointer<Scalar>, rows: Int, rowStride: Int, depthStride: Int, depth: Int,
    to target: UnsafeMutablePointer<Scalar>)
  /// Packs columns of B into panels of NR.
  static func packB(
    _ source: UnsafePointer<Scalar>, columns: Int, columnStride: Int, depthStride: Int, depth: Int,
    to target: UnsafeMutablePointer<Scalar>)
  /// Packs columns of B as the macro-kernel cuts them: panels of NR, and the last one of three vectors if their number
  /// is odd.
  static func packColumns(
    _ source: UnsafePointer<Scalar>, columns: Int, columnStride: Int, depthStride: Int, depth: Int,
    to target: UnsafeMutablePointer<Scalar>)
  /// C ← β·C on the region.
  static func scale(_ c: MutableMatrixPointer<Scalar>, _ beta: Scalar, _ region: Region)
  /// C ← activation(C + bias).
  static func finish(_ epilogue: Epilogue<Scalar>, _ c: MutableMatrixPointer<Scalar>)
  /// C ← α·S + β·C on the region, with S in rows of `stride`: adds the sum of one k block.
  static func addSum(
    _ s: UnsafePointer<Scalar>, stride: Int, to c: MutableMatrixPointer<Scalar>, alpha: Scalar, beta: Scalar,
    region: Region)
  /// Σ xᵢ·yᵢ or Σ |xᵢ|: see Reductions.swift.
  static func sum(_ what: Summand, _ x: VectorPointer<Scalar>, _ y: VectorPointer<Scalar>) -> Scalar
  /// y ← α·x + y
  static func axpy(_ alpha: Scalar, _ x: VectorPointer<Scalar>, _ y: MutableVectorPointer<Scalar>)
  /// x ← α·x
  static func scal(_ alpha: Scalar, _ x: MutableVectorPointer<Scalar>)
  /// The index of the largest magnitude or of the first NaN, −1 if empty.
  static func iamax(_ x: VectorPointer<Scalar>) -> Int
  /// Copies or transposes.
  static func copy(_ source: MatrixPointer<Scalar>, to target: MutableMatrixPointer<Scalar>)
  /// Keeps every FMA pipe busy: see PeakLoop.swift. Needs ``TileShape/tileScratch`` elements of scratch.
  static func peakLoop(steps: Int, _ scratch: UnsafeMutablePointer<Scalar>) -> Scalar
}

// The generic text of the entry points. A kernel module only states the conformance.
extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  @_alwaysEmitIntoClient
  public static var shape: TileShape { TileShape(Self.self) }

  @_alwaysEmitIntoClient
  public static func packA(
    _ source: UnsafePointer<Scalar>, rows: Int, rowStride: Int, depthStride: Int, depth: Int,
    to target: UnsafeMutablePointer<Scalar>
  ) {
    let panels = Partition(rows, limit: tileRows)
    for panel in 0..<panels.parts {
      packPanel(
        source + panels.start(panel) &* rowStride, count: panels.size(panel), laneStride: rowStride,
        depthStride: depthStride, depth: depth, to: target + panel &* depth &* panelStride,
        stride: panelStride)
    }
  }

  @_alwaysEmitIntoClient
  public static func packB(
    _ source: UnsafePointer<Scalar>, columns: Int, columnStride: Int, depthStride: Int, depth: Int,
    to target: UnsafeMutablePointer<Scalar>
  ) {
    var j = 0
    // Several panels at once from adjacent columns: rows are read in longer stretches, which the prefetchers follow.
    while columnStride == 1 && j &+ 2 &* tileColumns <= columns {
      let count = min(8, (columns &- j) / tileColumns)
      copyPanels(source + j, count: count, depthStride: depthStride, depth: depth, to: target + j &* depth)
      j &+= count &* tileColumns
    }
    while j < columns {
      packPanel(
        source + j &* columnStride, count: min(tileColumns, columns &- j), laneStride: columnStride,
        depthStride: depthStride, depth: depth, to: target + j &* depth, stride: tileColumns)
      j &+= tileColumns
    }
  }

  @_alwaysEmitIntoClient
  public static func packColumns(
    _ source: UnsafePointer<Scalar>, columns: Int, columnStride: Int, depthStride: Int, depth: Int,
    to target: UnsafeMutablePointer<Scalar>
  ) {
    if columns <= lanes && depthStride == 1 && columnStride != 1 {
      return transposeRows(
        source, count: columns, rowStride: columnStride, depth: depth, to: target, stride: tileColumns,
        isLong: depth >= 8 &* lanes)
    }
    let vectors = (columns &+ lanes &- 1) / lanes
    let last = vectors > 1 && vectors & 1 == 1 ? (vectors &- 3) &* lanes : columns
    packB(
      source, columns: last, columnStride: columnStride, depthStride: depthStride, depth: depth, to: target)
    if last == columns { return }
    packPanel(
      source + last &* columnStride, count: columns &- last, laneStride: columnStride,
      depthStride: depthStride,
      depth: depth, to: target + last &* depth, stride: 3 &* lanes)
  }

  @_alwaysEmitIntoClient
  public static func addSum(
    _ s: UnsafePointer<Scalar>, stride: Int, to c: MutableMatrixPointer<Scalar>, alpha: Scalar, beta: Scalar,
    region: Region
  ) {
    mergeTile(s, stride, c, alpha, beta, region, 0, 0)
  }

  @_alwaysEmitIntoClient
  public static func finish(_ epilogue: Epilogue<Scalar>, _ c: MutableMatrixPointer<Scalar>) {
    applyEpilogue(epilogue, to: c, 0, 0)
  }
}

/// The register blocking of one instruction set and element type.
@frozen
public struct TileShape: Sendable {
  public let lanes: Int
  public let tileRows: Int
  public let tileColumns: Int
  public let panelStride: Int

  @_alwaysEmitIntoClient
  public init<U: VectorUnit>(_ unit: U.Type) {
    lanes = U.lanes
    tileRows = U.tileRows
    tileColumns = U.tileColumns
    panelStride = U.panelStride
  }

  /// The width of a panel of packed columns if so many are left: see ``KernelSet/packColumns``.
  @_alwaysEmitIntoClient
  public func panelWidth(left: Int) -> Int { panelVectors(left, lanes: lanes) &* lanes }

  /// Elements of scratch that one tile may need.
  @_alwaysEmitIntoClient
  public var tileScratch: Int { lanes &* max(3 &* tileRows, 8) }
}
