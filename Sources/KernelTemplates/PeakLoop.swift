extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// Independent multiply-adds on registers alone: what the FMA pipes can do at most.
  ///
  /// A tile of MR rows × 2 vectors accumulates from a few values in the first-level cache.
  @inlinable
  public static func peakLoop(iterations: Int, _ scratch: UnsafeMutablePointer<Scalar>) -> Scalar {
    let depth = 64
    for i in 0..<4 &* tileColumns { scratch[i] = 1 / 1024 }
    for _ in 0..<iterations {
      runTile(
        Whole2<Self>.self, rows: tileRows, UnitStep(),
        TileCall(
          depth: depth, a: UnsafePointer(scratch), aRow: 1, aDepth: 0, b: UnsafePointer(scratch), bDepth: 0,
          c: scratch + 4 &* tileColumns, cRow: 0, alpha: 1, beta: 0, lastLanes: lanes))
    }
    return scratch[4 &* tileColumns]
  }
}
