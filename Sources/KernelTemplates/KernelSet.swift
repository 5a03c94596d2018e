/// What a kernel module offers for one element type: the entry points that the drivers call through a table.
public protocol KernelSet<Scalar> {
  associatedtype Scalar: BinaryFloatingPoint & SIMDScalar

  /// Lanes of a vector, MR, NR, and the stride of a packed panel of A.
  static var shape: TileShape { get }

  /// The macro-kernel.
  static func multiplyBlock(_ call: BlockCall<Scalar>)
  /// Packs rows of A into panels of at most MR.
  static func packA(
    _ source: UnsafePointer<Scalar>, rows: Int, rowStride: Int, depthStride: Int, depth: Int,
    to target: UnsafeMutablePointer<Scalar>)
  /// Packs columns of B into panels of NR.
  static func packB(
    _ source: UnsafePointer<Scalar>, columns: Int, columnStride: Int, depthStride: Int, depth: Int,
    to target: UnsafeMutablePointer<Scalar>)
  /// C ← β·C on the region.
  static func scale(_ c: MutableMatrixPointer<Scalar>, _ beta: Scalar, _ region: Region)
  /// C ← activation(C + bias).
  static func finish(_ epilogue: Epilogue<Scalar>, _ c: MutableMatrixPointer<Scalar>)
  /// Keeps every FMA pipe busy: see PeakLoop.swift. Needs ``TileShape/tileScratch`` elements of scratch.
  static func peakLoop(iterations: Int, _ scratch: UnsafeMutablePointer<Scalar>) -> Scalar
}

// The generic text of the entry points. A kernel module only states the conformance.
extension VectorUnit {
  @inlinable
  public static var shape: TileShape { TileShape(Self.self) }

  @inlinable
  public static func packA(
    _ source: UnsafePointer<Scalar>, rows: Int, rowStride: Int, depthStride: Int, depth: Int,
    to target: UnsafeMutablePointer<Scalar>
  ) {
    let panels = Partition(rows, limit: tileRows)
    for panel in 0..<panels.parts {
      packPanel(
        source + panels.start(panel) &* rowStride, count: panels.size(panel), laneStride: rowStride,
        depthStride: depthStride, depth: depth, to: target + panel &* depth &* panelStride, stride: panelStride)
    }
  }

  @inlinable
  public static func packB(
    _ source: UnsafePointer<Scalar>, columns: Int, columnStride: Int, depthStride: Int, depth: Int,
    to target: UnsafeMutablePointer<Scalar>
  ) {
    var j = 0
    while j < columns {
      packPanel(
        source + j &* columnStride, count: min(tileColumns, columns &- j), laneStride: columnStride,
        depthStride: depthStride, depth: depth, to: target + j &* depth, stride: tileColumns)
      j &+= tileColumns
    }
  }

  @inlinable
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

  @inlinable
  public init<U: VectorUnit>(_ unit: U.Type) {
    lanes = U.lanes
    tileRows = U.tileRows
    tileColumns = U.tileColumns
    panelStride = U.panelStride
  }

  /// Elements of scratch that one tile may need.
  @inlinable
  public var tileScratch: Int { max(tileRows &* tileColumns, 8 &* lanes) }
}
