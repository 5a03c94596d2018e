import FisherLinearAlgebra
import KernelTemplates
import Testing

/// How C is cut for threads, counted element by element.
@Suite struct ProductPartsTests {
  private static let sides = [1, 2, 13, 14, 84, 85, 127, 128, 129, 300, 512]
  private static let regions = [
    Region.all, .lower(diagonal: 0), .upper(diagonal: 0), .lower(diagonal: 70), .upper(diagonal: 70),
    .lower(diagonal: -70), .upper(diagonal: -70),
  ]
  private static let tiles = [(rows: 14, columns: 32), (rows: 6, columns: 8)]

  private static func isIn(_ region: Region, _ i: Int, _ j: Int) -> Bool {
    switch region {
    case .all: true
    case .lower(let diagonal): i + diagonal >= j
    case .upper(let diagonal): i + diagonal <= j
    }
  }

  @Test(arguments: sides) func everyElementIsInOnePart(rows: Int) {
    for columns in Self.sides {
      for region in Self.regions {
        for threads in [2, 3, 16] {
          let parts = ProductParts(
            rows: rows, columns: columns, in: region, tile: Self.tiles[0], threads: threads
          ).parts
          var times = [Int](repeating: 0, count: rows * columns)
          for part in parts {
            var count = 0
            for i in part.row..<part.row + part.rows {
              for j in part.column..<part.column + part.columns {
                times[i * columns + j] += 1
                if Self.isIn(region, i, j) { count += 1 }
              }
            }
            #expect(region.count(part) == count && count > 0, "\(rows) × \(columns), \(region): \(part)")
          }
          let isRight = times.indices.allSatisfy {
            let isWanted = Self.isIn(region, $0 / columns, $0 % columns)
            return isWanted ? times[$0] == 1 : times[$0] <= 1
          }
          #expect(isRight, "\(rows) × \(columns), \(region), \(threads) threads")
        }
      }
    }
  }

  @Test func noPartIsLargeAgainstWhatIsLeft() {
    for region in Self.regions {
      for tile in Self.tiles {
        for threads in 2...8 {
          let parts = ProductParts(rows: 2000, columns: 2000, in: region, tile: tile, threads: threads).parts
          let total = parts.reduce(0) { $0 + region.count($1) }
          var rest = total
          for part in parts {
            let count = region.count(part)
            #expect(
              8 * count <= 9 * max(total / (8 * threads), rest / (2 * threads)), "\(region): \(part)")
            rest -= count
          }
        }
      }
    }
  }

  /// Two cores, one at 65 % of the other's speed, finish within a tenth of the least time; four equal parts take 1.27 of it.
  @Test(arguments: regions) func unevenThreadsEndTogether(region: Region) {
    let parts = ProductParts(rows: 1000, columns: 1000, in: region, tile: Self.tiles[0], threads: 2).parts
    let speeds = [1, 0.65]
    var ends = [0.0, 0.0]
    for part in parts {
      let next = ends[0] <= ends[1] ? 0 : 1
      ends[next] += Double(region.count(part)) / speeds[next]
    }
    let total = parts.reduce(0.0) { $0 + Double(region.count($1)) }
    #expect(max(ends[0], ends[1]) < 1.1 * total / (speeds[0] + speeds[1]))
  }
}
