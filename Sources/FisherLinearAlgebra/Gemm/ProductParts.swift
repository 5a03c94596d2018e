package import KernelTemplates

// Threads take the parts of C one by one, as they have time. Cores differ, and share their units with other work, so late
// parts are small: a thread at half of the speed of another keeps it waiting for one of them.
//
//     ▄▄▄▄▄▄▄ ▄▄▄ ▄▄▄
//     ███████ ▄▄▄ ▄ ▄        two threads: a quarter, then eighths, then sixteenths
//     ███████ ▄▄▄ ▄ ▄

/// A rectangle of C.
package struct ProductPart {
  package var row, column, rows, columns: Int
}

/// A region of C, cut for some threads.
///
/// Sides are halved, in whole tiles and the longer ones first, until a part has about 1/(2·T) of what the parts before it have left, or
/// 1/(8·T) of all, or only a few tiles.
package struct ProductParts {
  package private(set) var parts: [ProductPart] = []
  private let region: Region
  private let tile: (rows: Int, columns: Int)
  private let longest: Int
  private let threads: Int
  /// In elements of C.
  private let smallest: Int
  private var rest: Int

  /// - Parameters:
  ///   - rows: of C.
  ///   - columns: of C.
  ///   - region: the elements of C that are asked for.
  ///   - tile: the sides of a tile.
  ///   - longest: rows are halved until they are so many times as long as a part has rows.
  ///   - threads: T.
  package init(
    rows: Int, columns: Int, in region: Region, tile: (rows: Int, columns: Int),
    longest: Int = 1, threads: Int
  ) {
    let whole = ProductPart(row: 0, column: 0, rows: rows, columns: columns)
    (self.region, self.tile, self.longest, self.threads) = (region, tile, longest, threads)
    rest = region.count(whole)
    smallest = rest / (8 * threads)
    cut(whole)
  }

  private mutating func cut(_ part: ProductPart) {
    let count = region.count(part)
    if count == 0 { return }
    // An eighth more for halves that whole tiles make longer.
    guard 8 * count > 9 * max(smallest, rest / (2 * threads)), let (first, second) = halves(part) else {
      parts.append(part)
      rest -= count
      return
    }
    cut(first)
    cut(second)
  }

  /// Nil if each half of both sides had too few tiles.
  private func halves(_ part: ProductPart) -> (ProductPart, ProductPart)? {
    let rows = half(part.rows, of: tile.rows, atLeast: 3)
    let columns = half(part.columns, of: tile.columns, atLeast: 2)
    var (first, second) = (part, part)
    if rows > 0 && (columns == 0 || longest * part.rows >= part.columns) {
      (first.rows, second.row, second.rows) = (rows, part.row + rows, part.rows - rows)
    } else if columns > 0 {
      (first.columns, second.column, second.columns) = (
        columns, part.column + columns, part.columns - columns
      )
    } else {
      return nil
    }
    return (first, second)
  }

  /// Half of a side in whole tiles, 0 if that is less than so many.
  private func half(_ side: Int, of tile: Int, atLeast least: Int) -> Int {
    side < 2 * least * tile ? 0 : (side / 2 + tile - 1) / tile * tile
  }
}

extension Region {
  /// The elements of a rectangle that are in the region.
  package func count(_ part: ProductPart) -> Int {
    switch self {
    case .all: part.rows * part.columns
    case .lower(let diagonal): below(diagonal, part)
    case .upper(let diagonal): part.rows * part.columns - below(diagonal - 1, part)
    }
  }

  /// Row i has min(i + diagonal − column + 1, columns) of them, or none.
  private func below(_ diagonal: Int, _ part: ProductPart) -> Int {
    func sum(to x: Int) -> Int {
      if x < 1 { return 0 }
      let n = part.columns
      return x <= n ? x * (x + 1) / 2 : n * (n + 1) / 2 + (x - n) * n
    }
    let first = part.row + diagonal - part.column + 1
    return sum(to: first + part.rows - 1) - sum(to: first - 1)
  }
}
