import FisherCommandLine
import FisherRuntime
import FisherTraining

/// The table for people.
struct MeasurementTable {
  private let peers: [Peer]

  init(peers: [Peer]) {
    self.peers = peers
    for peer in peers { Swift.print("\(peer.key): \(peer.version)  \(peer.backend.path)") }
    if peers.isEmpty { Swift.print("no library to compare with (apt-get install libopenblas-dev)") }
    let heads = peers.map { column($0.key, Self.width($0)) + column("ratio", 7) }.joined()
    Swift.print(
      column("case", 26, left: true) + column("type", 5) + column("thr", 4) + column("GFLOP/s", 10)
        + column("peak", 7) + heads)
  }

  /// Of the column of a library.
  private static func width(_ peer: Peer) -> Int { max(12, peer.key.count + 2) }

  func print(_ m: Measurement) {
    let rest = m.peers.map {
      column(fixed(m.subject.flops / $0.seconds * 1e-9, 1), Self.width($0.peer))
        + column(fixed($0.ratio, 2), 7)
    }
    Swift.print(
      column("\(m.subject.suite) \(m.subject.name)", 26, left: true) + column(m.subject.type, 5)
        + column(String(m.threads), 4) + column(fixed(m.gflops, 1), 10)
        + column(m.peakFraction.isNaN ? "–" : fixed(100 * m.peakFraction, 0) + " %", 7) + rest.joined()
        + remark(m))
    Console.flush()
  }

  private func remark(_ m: Measurement) -> String {
    let time = m.nanosecondsPerMatrix.map { "   \(fixed($0, 1)) ns a matrix" } ?? ""
    let mark = m.isDisturbed ? "   disturbed" : ""
    return time + mark + (m.peers.isEmpty ? "" : m.subject.peersDo.map { "; peers: \($0)" } ?? "")
  }

  func printSummary(_ all: [Measurement]) {
    for entry in Summary(all).peers {
      let means = entry.suites.map { "\($0.name) \(fixed($0.geometricMean, 2))" }
      let parts = means.count > 1 ? " (\(means.joined(separator: ", ")))" : ""
      Swift.print(
        "\n\(entry.key): geometric mean of the ratios \(fixed(entry.geometricMean, 3))\(parts); the worst:")
      for m in entry.worst {
        Swift.print("  \(m.name) \(fixed(m.ratio, 2))")
      }
    }
  }
}

/// Geometric means and worst cases per peer.
struct Summary {
  /// What is said of one library.
  struct Peer {
    let key: String
    let geometricMean: Double
    /// In the order of the suites.
    let suites: [(name: String, geometricMean: Double)]
    let worst: [(name: String, ratio: Double)]
  }

  let peers: [Peer]

  init(_ all: [Measurement]) {
    peers = (all.first?.peers ?? []).enumerated().map { i, entry in
      let ratios = all.map { m in
        ("\(m.subject.suite) \(m.subject.name) \(m.subject.type) threads \(m.threads)", m.peers[i].ratio)
      }
      let worst = ratios.sorted { $0.1 < $1.1 }.prefix(8)
      let suites = Suite.all.compactMap { suite -> (String, Double)? in
        let own = all.filter { $0.subject.suite == suite.name }.map { $0.peers[i].ratio }
        return own.isEmpty ? nil : (suite.name, FisherBenchmarks.geometricMean(own))
      }
      return Peer(
        key: entry.peer.key, geometricMean: FisherBenchmarks.geometricMean(ratios.map(\.1)), suites: suites,
        worst: worst.map { ($0.0, $0.1) })
    }
  }

  var json: JSON {
    .object([
      ("summary", .bool(true)),
      ("geomeanRatio", .object(peers.map { ($0.key, .number($0.geometricMean)) })),
      (
        "geomeanRatioOfSuite",
        .object(peers.map { ($0.key, .object($0.suites.map { ($0.name, .number($0.geometricMean)) })) })
      ),
      (
        "worst",
        .object(
          peers.map { entry in
            (
              entry.key,
              .object([
                ("case", .string(entry.worst.first?.name ?? "")),
                ("ratio", .number(entry.worst.first?.ratio ?? .nan)),
              ])
            )
          })
      ),
    ])
  }
}
