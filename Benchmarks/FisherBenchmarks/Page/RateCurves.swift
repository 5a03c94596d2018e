import FisherCommandLine
import FisherPages

/// The rates of square operands over their order, below the peak.
enum RateCurves {
  /// A chart for each kind of case, type and number of threads of which there are three orders at least.
  static func figures(_ cases: [Measurement]) -> [String] {
    let square = cases.filter { $0.order != nil && !$0.peakFraction.isNaN }
    let groups = Dictionary(grouping: square) { "\($0.kind) \($0.subject.type), \(threads($0.threads))" }
    // In the order of their measurement.
    let names = square.map { "\($0.kind) \($0.subject.type), \(threads($0.threads))" }
    return names.enumerated().filter { names.firstIndex(of: $1) == $0 }.compactMap { figure($1, groups[$1]!) }
  }

  private static func threads(_ count: Int) -> String { "\(count) thread\(count == 1 ? "" : "s")" }

  private static func figure(_ name: String, _ group: [Measurement]) -> String? {
    let group = group.sorted { $0.order! < $1.order! }
    let peak = group.map(\.peakGflops).max() ?? 0
    guard group.count >= 3, peak.isFinite, let first = group.first?.order, let last = group.last?.order,
      last > first
    else { return nil }
    func points(_ rate: (Measurement) -> Double) -> [(x: Double, y: Double)] {
      group.map { (Double($0.order!), rate($0)) }
    }
    // Ours in the colour of ink, without dashes.
    var series = [LineChart.Series(name: "FisherKit", style: 0, points: points(\.gflops))]
    for (i, entry) in group[0].peers.enumerated() {
      series.append(
        LineChart.Series(
          name: entry.peer.key, style: i + 1,
          points: points { $0.subject.flops / $0.peers[i].seconds * 1e-9 }))
    }
    let disturbed = group.filter(\.isDisturbed).map { "\($0.order!)" }
    let remark = disturbed.isEmpty ? "" : " Disturbed: n = \(disturbed.joined(separator: ", "))."
    return LineChart(
      name,
      summary: "GFLOP/s over the order n. The top of the axis is the FMA peak, \(fixed(peak, 0)) GFLOP/s."
        + remark,
      series, x: Scale(logarithmicFrom: 0.9 * Double(first), to: 1.1 * Double(last)),
      y: Scale(linearTo: peak),
      xTitle: "n", target: peak
    ).figure
  }
}

extension Measurement {
  /// The order of square operands; nil if their sizes differ.
  fileprivate var order: Int? {
    guard let first = subject.sizes.first?.1, subject.sizes.allSatisfy({ $0.1 == first }) else { return nil }
    return first
  }

  /// The suite and what distinguishes cases of one size: `gemm nn`.
  fileprivate var kind: String {
    let words = subject.name.split(separator: " ").filter { !($0.first?.isNumber ?? true) }
    return ([subject.suite] + words.map(String.init)).joined(separator: " ")
  }
}
