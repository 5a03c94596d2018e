import FisherCommandLine
import FisherPages

extension ShapeMap {
  /// The picture: a panel for every four values of k and every type, with m downward and n to the right.
  package var heatMap: HeatMap {
    let side = SmallShapes.most / width
    let range = max(width, 4)
    let panels = types.flatMap { type in
      stride(from: 1, through: SmallShapes.most, by: range).map { first in
        let own = entries.filter { $0.type == type && (first..<first + range).contains($0.shape.k) }
        return HeatMap.Panel(name: "\(type), k \(first)–\(first + range - 1)", cells: cells(own))
      }
    }
    let opponent = peers.isEmpty ? "naive loops" : "the fastest of \(peers.joined(separator: ", "))"
    return HeatMap(
      "Small products, one thread",
      summary:
        "The time of \(opponent) over ours, of C (m × n) = A (m × k) · B (k × n), the worst k of each cell. "
        + summaries.map(\.text).joined(separator: ". ") + ".",
      panels, side: side, most: SmallShapes.most, markTitle: "slower than naive loops")
  }

  /// One for each block of m and n, with the least ratio of its shapes.
  private func cells(_ entries: [MapEntry]) -> [HeatMap.Cell] {
    let side = SmallShapes.most / width
    let groups = Dictionary(grouping: entries) {
      ($0.shape.m - 1) / width * side + ($0.shape.n - 1) / width
    }
    return groups.sorted { $0.key < $1.key }.map { place, group in
      let worst = group.min { $0.ratio < $1.ratio }!
      let name =
        worst.name + ": " + fixed(worst.ratio, 2) + " of " + (best(worst) ?? "naive loops") + ", "
        + fixed(worst.overLoops, 2) + " of the loops"
      return HeatMap.Cell(
        row: place / side, column: place % side, ratio: worst.ratio,
        isMarked: group.contains { $0.overLoops < 1 }, name: name)
    }
  }
}
