import FisherCommandLine
import FisherKit
import FisherPages
import FisherRuntime

/// The page of a single run: the small form of the comparison's.
package struct RunPage {
  private let title: String
  /// What was trained, and how: each a name with its text.
  private let facts: [(name: String, text: String)]
  private let epochs: [EpochReport]

  package init(title: String, facts: [(name: String, text: String)], epochs: [EpochReport]) {
    self.title = title
    self.facts = facts
    self.epochs = epochs
  }

  /// One file, without anything from elsewhere.
  package var html: String {
    Page.html(
      title: title,
      ["<h1>\(Page.escaped(title))</h1>", list]
        + (epochs.isEmpty
          ? ["<p>No epoch was completed.</p>"]
          : [
            "<div class=\"charts\">", losses, losses(over: "seconds"), accuracies ?? "", "</div>", table.html,
          ]))
  }

  private var list: String {
    let items = facts.map { "<li><strong>\(Page.escaped($0.name))</strong>: \(Page.escaped($0.text))</li>" }
    return "<ul>\n\(items.joined(separator: "\n"))\n</ul>"
  }

  private var losses: String { losses(over: "epochs") }

  /// The loss of training and test, over epochs or over seconds.
  private func losses(over axis: String) -> String {
    let isTime = axis == "seconds"
    func points(_ loss: (EpochReport) -> Double) -> [(x: Double, y: Double)] {
      epochs.filter { loss($0).isFinite }.map { (isTime ? $0.seconds : Double($0.epoch), loss($0)) }
    }
    let (train, test) = (points(\.trainLoss), points(\.test.loss))
    let all = (train + test).map(\.y)
    let (low, high) = (all.min() ?? 0, all.max() ?? 1)
    let y = low > 0 ? Scale(logarithmicFrom: 0.9 * low, to: 1.1 * high) : Scale(linearTo: high)
    let last = epochs[epochs.count - 1]
    return LineChart(
      isTime ? "Loss over time" : "Loss over epochs",
      summary:
        "At the end training is at \(Figure.text(last.trainLoss)), the test at \(Figure.text(last.test.loss)).",
      [
        LineChart.Series(name: "training, each batch at its own weights", style: 1, points: train),
        LineChart.Series(name: "test", style: 2, points: test),
      ], x: Scale(linearTo: isTime ? last.seconds : Double(last.epoch)), y: y,
      xTitle: isTime ? "seconds of training" : "epochs"
    ).figure
  }

  private var accuracies: String? {
    let points = epochs.compactMap { epoch in
      epoch.test.accuracy.map { (x: Double(epoch.epoch), y: 100 * $0) }
    }
    guard let last = points.last else { return nil }
    let best = points.map(\.y).max() ?? 0
    return LineChart(
      "Test accuracy over epochs", summary: "The best is \(fixed(best, 2)) %.",
      [LineChart.Series(name: "test accuracy in percent", style: 3, points: points)],
      x: Scale(linearTo: last.x),
      y: Scale(linearTo: 100), xTitle: "epochs"
    ).figure
  }

  private var table: Table {
    let isClassified = epochs.contains { $0.test.accuracy != nil }
    return Table(
      caption: "Every epoch: losses are means, seconds those of training since the beginning.",
      heads: ["epoch", "steps", "training loss", "test loss"] + (isClassified ? ["accuracy, %"] : []) + [
        "seconds"
      ],
      rows: epochs.map { epoch in
        [
          Table.Value("\(epoch.epoch)", by: Double(epoch.epoch)),
          Table.Value("\(epoch.step)", by: Double(epoch.step)),
          Figure.value(epoch.trainLoss), Figure.value(epoch.test.loss),
        ] + (isClassified ? [Figure.value(epoch.test.accuracy.map { 100 * $0 })] : []) + [
          Figure.value(epoch.seconds)
        ]
      })
  }
}
