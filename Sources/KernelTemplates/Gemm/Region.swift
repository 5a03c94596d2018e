// Which elements of C a product is asked for: all, or one triangle of it or of a larger matrix around it.

/// The half of C that is to be written.
@frozen
public enum Region {
  case all
  /// i + diagonal ≥ j
  case lower(diagonal: Int)
  /// i + diagonal ≤ j
  case upper(diagonal: Int)

  /// The columns j of row `i` that belong to the region, out of `columns`.
  @_alwaysEmitIntoClient @inline(__always)
  public func columns(ofRow i: Int, from j0: Int, count: Int) -> (start: Int, end: Int) {
    switch self {
    case .all: return (0, count)
    case .lower(let diagonal): return (0, max(0, min(count, i &+ diagonal &- j0 &+ 1)))
    case .upper(let diagonal): return (min(count, max(0, i &+ diagonal &- j0)), count)
    }
  }

  /// Whether every element of the tile is in the region, none, or some.
  @_alwaysEmitIntoClient @inline(__always)
  public func overlap(_ i0: Int, _ j0: Int, rows: Int, columns: Int) -> Overlap {
    switch self {
    case .all: return .all
    case .lower(let diagonal):
      if i0 &+ diagonal >= j0 &+ columns &- 1 { return .all }
      return i0 &+ rows &- 1 &+ diagonal < j0 ? .none : .some
    case .upper(let diagonal):
      if i0 &+ rows &- 1 &+ diagonal <= j0 { return .all }
      return i0 &+ diagonal > j0 &+ columns &- 1 ? .none : .some
    }
  }

  /// The same region seen from the transposed matrix.
  @_alwaysEmitIntoClient @inline(__always)
  public var transposed: Region {
    switch self {
    case .all: return self
    case .lower(let diagonal): return .upper(diagonal: -diagonal)
    case .upper(let diagonal): return .lower(diagonal: -diagonal)
    }
  }

  @frozen
  public enum Overlap { case all, some, none }

  /// How many rows from `i0` on have all of their `columns` elements from `j0` on in the region, at least; a triangle
  /// does not end here.
  @_alwaysEmitIntoClient @inline(__always)
  func wholeRows(_ i0: Int, _ j0: Int, columns: Int) -> Int {
    switch self {
    case .all: return Int.max
    case .lower(let diagonal): return i0 &+ diagonal >= j0 &+ columns &- 1 ? Int.max : 0
    case .upper(let diagonal): return max(0, j0 &- diagonal &- i0 &+ 1)
    }
  }
}
