import FisherCommandLine
import FisherTraining

/// What was measured of small shapes.
package struct ShapeMap {
  /// The names of the libraries.
  let peers: [String]
  /// The side of the blocks of shapes of which each has one entry.
  let width: Int
  package private(set) var entries: [MapEntry] = []

  package init(peers: [String], width: Int) {
    self.peers = peers
    self.width = width
  }

  package mutating func add(_ entry: MapEntry) { entries.append(entry) }

  /// Replaces every entry that is not good by the least of itself and another measurement, for whoever was disturbed in all
  /// rounds of a shape is not disturbed much later, too.
  package mutating func repeatBad<E: Error>(_ measure: (MapEntry) throws(E) -> MapEntry) throws(E) {
    for i in entries.indices where !entries[i].isGood {
      entries[i] = entries[i].least(try measure(entries[i]))
    }
  }

  /// The element types, in the order of their measurement.
  var types: [String] {
    entries.reduce(into: []) { types, entry in if types.last != entry.type { types.append(entry.type) } }
  }

  /// The numbers of one element type.
  package struct Summary {
    let type: String
    package let shapes: Int
    /// How many are slower than the naive loops.
    package let slowerThanLoops: Int
    /// How many take at most the fastest library's time over 0.9; nil without libraries.
    package let nearBest: Int?
    /// Of the times of the fastest library, or of the loops, over ours.
    let mean: Double
    /// The ten with the least ratio.
    package let worst: [MapEntry]
  }

  package var summaries: [Summary] {
    types.map { type in
      let own = entries.filter { $0.type == type }
      return Summary(
        type: type, shapes: own.count, slowerThanLoops: own.count { $0.overLoops < 1 },
        nearBest: peers.isEmpty ? nil : own.count { $0.ratio >= 0.9 },
        mean: geometricMean(own.map(\.ratio)), worst: Array(own.sorted { $0.ratio < $1.ratio }.prefix(10)))
    }
  }

  /// The name of the library that is fastest for the shape; nil if there is none.
  func best(_ entry: MapEntry) -> String? {
    entry.peers.indices.min { entry.peers[$0] < entry.peers[$1] }.map { peers[$0] }
  }
}

extension ShapeMap.Summary {
  /// `f32: 512 shapes, 2 slower than naive loops, 498 (97 %) within 10 % of the fastest library; …`
  package var text: String {
    let near = nearBest.map {
      ", \($0) (\(fixed(100 * Double($0) / Double(shapes), 0)) %) within 10 % of the fastest library or faster"
    }
    return "\(type): \(shapes) shapes, \(slowerThanLoops) slower than naive loops\(near ?? ""); "
      + "the geometric mean of the ratios is \(fixed(mean, 2))"
  }

  var json: JSON {
    .object([
      ("type", .string(type)), ("shapes", .int(shapes)), ("slowerThanLoops", .int(slowerThanLoops)),
      ("nearBest", nearBest.map(JSON.int) ?? .null), ("geomeanRatio", .number(mean)),
      ("worst", .array(worst.map { .object([("case", .string($0.name)), ("ratio", .number($0.ratio))]) })),
    ])
  }
}

extension ShapeMap {
  /// The object of docs/benchmarks.md.
  func json(_ entry: MapEntry) -> JSON {
    .object([
      ("suite", .string("map")), ("case", .string("nn \(entry.name)")), ("type", .string(entry.type)),
      ("m", .int(entry.shape.m)), ("n", .int(entry.shape.n)), ("k", .int(entry.shape.k)),
      ("seconds", .number(entry.ours)), ("loopSeconds", .number(entry.loops)),
      ("peerSeconds", .object(zip(peers, entry.peers).map { ($0, .number($1)) })),
      ("overLoops", .number(entry.overLoops)), ("overBest", entry.overBest.map(JSON.number) ?? .null),
    ])
  }

  func printSummary() {
    for summary in summaries {
      Swift.print("\nmap \(summary.text). The worst:")
      for entry in summary.worst { Swift.print("  " + line(entry)) }
    }
    Console.flush()
  }

  private func line(_ entry: MapEntry) -> String {
    let library = best(entry).map { column(fixed(entry.ratio, 2), 7) + " of " + column($0, 24, left: true) }
    return column(entry.name, 10, left: true) + column(fixed(entry.ours * 1e9, 1), 9) + " ns"
      + (library ?? "") + column(fixed(entry.overLoops, 2), 7) + " of the loops"
  }
}
