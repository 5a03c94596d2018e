// Products of very few steps: C ← α·A·B + β·C where C is nearly all of the memory, as in a product of rank one. Tile by
// tile most of the time would go into calls, so that a stretch of rows is one loop here.

/// Whole tiles side by side, as many as `columns` hold.
///
/// - Returns: the columns that are done.
@_alwaysEmitIntoClient @inline(never)
public func sweepRows<T: Tile, R: RowStep>(
  _ tile: T.Type, _ step: R, _ call: TileCall<T.Scalar>, columns: Int
) -> Int {
  typealias Unit = T.Unit
  let last = Unit.mask(first: call.lastLanes)
  let (alpha, beta) = (Unit.broadcast(call.alpha), Unit.broadcast(call.beta))
  let width = T.S.vectors &* Unit.lanes
  var j = 0
  while j &+ width <= columns {
    var sums = T()
    var (a, b) = (call.a, call.b + j)
    for _ in 0..<call.depth {
      sums.accumulate(a, step, T.S(loading: b, last))
      a += call.aDepth
      b += call.bDepth
    }
    if call.overwrites {
      sums.overwrite(call.c + j, call.cRow, alpha, last)
    } else {
      sums.update(call.c + j, call.cRow, alpha, beta, last)
    }
    j &+= width
  }
  return j
}
