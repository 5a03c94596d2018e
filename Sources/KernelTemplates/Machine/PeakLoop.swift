extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// Independent multiply-adds on registers alone: what the FMA pipes can do at most.
  ///
  /// One tile of MR rows × 2 vectors accumulates `steps` times from a few values in the first-level cache; beside so many
  /// steps its beginning and end are nothing.
  @_alwaysEmitIntoClient
  public static func peakLoop(steps: Int, _ scratch: UnsafeMutablePointer<Scalar>) -> Scalar {
    for i in 0..<4 &* tileColumns { scratch[i] = 1 / 1024 }
    var tile = TileCall(
      depth: steps, a: UnsafePointer(scratch), aRow: 1, aDepth: 0, b: UnsafePointer(scratch), bDepth: 0,
      c: scratch + 4 &* tileColumns, cRow: 0, alpha: 1, beta: 0, lastLanes: lanes)
    runTile(Whole2<Self>.self, rows: tileRows, UnitStep(), &tile)
    return scratch[4 &* tileColumns]
  }
}
