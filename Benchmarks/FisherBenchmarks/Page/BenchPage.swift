import FisherCommandLine
import FisherPages
import FisherRuntime

/// The page of a run of `fisher bench`: one file, without anything from elsewhere.
package struct BenchPage {
  let cases: [Measurement]
  let map: ShapeMap?
  let steps: [StepMeasurement]
  let libraries: [(key: String, version: String, path: String)]
  let machine: [(name: String, text: String)]
  let command: String

  package var html: String {
    let title =
      "Measured by fisher bench: "
      + (suites + (map == nil ? [] : ["map"]) + Set(steps.map(\.suite)).sorted()).joined(separator: ", ")
    var body = ["<h1>\(Page.escaped(title))</h1>", introduction]
    if !cases.isEmpty { body += ["<h2>In short</h2>", short.html] }
    body += suites.map(section)
    if let map { body.append(section(map)) }
    if !steps.isEmpty { body += ["<h2>Steps of training</h2>", stepTable.html] }
    return Page.html(title: title, body + [origin])
  }

  private var suites: [String] {
    cases.reduce(into: []) { names, one in
      if !names.contains(one.subject.suite) { names.append(one.subject.suite) }
    }
  }

  private var keys: [String] { cases.first?.peers.map(\.peer.key) ?? [] }

  private var introduction: String {
    """
    <p>Ours and every library ran in turn in one process. A ratio is the median over the rounds of the library's time over
    ours: above 1, ours is faster. The peak is that of fused multiply-adds, measured beside every sample. A case is
    disturbed if threads shared a core or the clock moved in too many rounds, however often they were repeated.</p>
    """
  }

  /// A row for each suite.
  private var short: Table {
    Table(
      caption: "The geometric means of the ratios, and how many cases are below 0.9",
      heads: ["Suite", "Cases", "Disturbed"] + keys.flatMap { ["Over \($0)", "Below 0.9"] },
      rows: suites.map { suite in
        let own = cases.filter { $0.subject.suite == suite }
        return [
          Table.Value(suite), Table.Value("\(own.count)", by: Double(own.count)),
          Self.count(own.count(where: \.isDisturbed)),
        ]
          + keys.indices.flatMap { i in
            let ratios = own.map { $0.peers[i].ratio }
            return [Figure.value(geometricMean(ratios)), Self.count(ratios.count { $0 < 0.9 })]
          }
      })
  }

  private static func count(_ n: Int) -> Table.Value { Table.Value("\(n)", by: Double(n)) }

  private func section(_ suite: String) -> String {
    let own = cases.filter { $0.subject.suite == suite }
    let curves = RateCurves.figures(own)
    return """
      <h2>\(suite)</h2>
      \(curves.isEmpty ? "" : "<div class=\"charts\">\n\(curves.joined(separator: "\n"))\n</div>")
      \(table(suite, own).html)
      """
  }

  private func table(_ suite: String, _ own: [Measurement]) -> Table {
    Table(
      caption:
        "\(suite): every case. The rates are textbook flops; “–” where a disturbed case has no part of the peak",
      heads: ["Case", "Type", "Threads", "GFLOP/s", "Of the peak, %"]
        + keys.flatMap { ["\($0), GFLOP/s", "Ratio"] }
        + ["Remark"],
      rows: own.map { one in
        [
          Table.Value(one.subject.name), Table.Value(one.subject.type), Self.count(one.threads),
          Figure.value(one.gflops), Figure.value(100 * one.peakFraction),
        ]
          + one.peers.flatMap {
            [Figure.value(one.subject.flops / $0.seconds * 1e-9), Figure.value($0.ratio)]
          } + [Table.Value(one.isDisturbed ? "disturbed" : "")]
      })
  }

  private func section(_ map: ShapeMap) -> String {
    let items = map.summaries.map { "<li>\(Page.escaped($0.text)).</li>" }
    let worst = map.summaries.flatMap(\.worst)
    let table = Table(
      caption: "The ten worst shapes of each type",
      heads: ["m × n × k", "Type", "ns"] + map.peers.map { "\($0), ns" } + [
        "Ratio", "Loops, ns", "Ratio to loops",
      ],
      rows: worst.map { entry in
        [Table.Value(entry.name), Table.Value(entry.type), Figure.value(entry.ours * 1e9)]
          + entry.peers.map { Figure.value($0 * 1e9) }
          + [Figure.value(entry.overBest), Figure.value(entry.loops * 1e9), Figure.value(entry.overLoops)]
      })
    return """
      <h2>Small products</h2>
      <ul>
      \(items.joined(separator: "\n"))
      </ul>
      \(map.heatMap.figure)
      \(table.html)
      """
  }

  private var stepTable: Table {
    Table(
      caption:
        "Steps of training: medians, and the median over the rounds of the time over that of SGD with momentum",
      heads: [
        "Optimizer", "Network", "Batch", "Type", "Threads", "ms", "Of the peak, %", "Of the memory, %",
        "Over SGD",
      ],
      rows: steps.map { one in
        [
          Table.Value(one.optimizer), Table.Value(one.network), Self.count(one.batch), Table.Value(one.type),
          Self.count(one.threads), Figure.value(one.seconds * 1e3),
          Figure.value(one.peakFraction.map { 100 * $0 }),
          Figure.value(one.bandwidthFraction.map { 100 * $0 }), Figure.value(one.overSGD),
        ]
      })
  }

  /// The machine, the libraries and the command.
  private var origin: String {
    let facts = machine.map { "<li><strong>\(Page.escaped($0.name))</strong>: \(Page.escaped($0.text))</li>" }
    let others = Table(
      caption: "The libraries beside ours", heads: ["Name", "Version", "File"],
      rows: libraries.map { [Table.Value($0.key), Table.Value($0.version), Table.Value($0.path)] })
    return """
      <h2>Where it was measured</h2>
      <ul>
      \(facts.joined(separator: "\n"))
      </ul>
      \(libraries.isEmpty ? "<p>There was no library beside ours.</p>" : others.html)
      <h2>By which command</h2>
      <pre><code>\(Page.escaped(command))</code></pre>
      """
  }
}
