// Tiles of so few elements that their chains of FMAs wait for latency, and not for the pipes: with a long k, the sums of
// several k blocks are formed side by side. Each block's sum, and the order in which the sums are added to C, are those of
// the contract.

extension BlockCall {
  /// How many k blocks keep the pipes busy together, with one vector of columns.
  @_alwaysEmitIntoClient @inline(__always)
  public static func ways(rows: Int) -> Int {
    switch rows {
    case 1: return 8
    case 2: return 4
    case 3, 4: return 2
    default: return 1
    }
  }
}

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// C ← β·C + α·(first block), then C ← C + α·(block) for as many more as there are ways for the rows of C.
  ///
  /// At most four rows and one vector of columns; `depth` is that of one block, and the next one follows in A and in B.
  @_alwaysEmitIntoClient
  public static func multiplyLockstep(_ call: BlockCall<Scalar>) {
    var tile = TileCall(
      depth: call.depth, a: call.a.base, aRow: call.a.laneStride, aDepth: call.a.depthStride,
      b: call.b.base, bDepth: call.b.depthStride,
      c: call.c.base, cRow: call.c.rowStride, alpha: call.alpha, beta: call.beta, lastLanes: call.c.columns)
    let step = AnyStep(call.a.laneStride)
    switch call.c.rows {
    case 1: tileKernel(EightWays<Row<Part<Self>>>.self, step, &tile)
    case 2: tileKernel(FourWays<Rows2<Part<Self>>>.self, step, &tile)
    case 3: tileKernel(Twice<OneWay<Rows3<Part<Self>>>>.self, step, &tile)
    default: tileKernel(Twice<OneWay<Rows4<Part<Self>>>>.self, step, &tile)
    }
    if let epilogue = call.epilogue { applyEpilogue(epilogue, to: call.c, 0, 0) }
  }
}
