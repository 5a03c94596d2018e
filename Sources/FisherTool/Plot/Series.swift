import FisherTraining

/// A line of a chart.
package struct Series {
  package let name: String
  package var points: [(x: Double, y: Double)]

  package init(name: String, points: [(x: Double, y: Double)]) {
    self.name = name
    self.points = points
  }
}

/// What JSON Lines of one sort say, and how it is drawn.
package struct PlotData {
  package var series: [Series] = []
  let xTitle: String
  let yTitle: String
  /// Sizes double from tick to tick.
  let isLogarithmic: Bool
  /// No value is above 100.
  let isPercent: Bool
  /// What was left out, and why; nil if nothing was.
  package var omitted: String?
}

extension PlotData {
  /// What was measured of square operands: the rate of every library, in percent of the peak that was measured beside it.
  package init(measurements lines: [JSON]) {
    self.init(xTitle: "n", yTitle: "percent of the measured peak", isLogarithmic: true, isPercent: true)
    let cases = lines.filter { $0["case"] != nil && $0["gflops"]?.double != nil }
    let square = cases.filter { line in
      let sizes = ["m", "n", "k"].compactMap { line[$0]?.double }
      return !sizes.isEmpty && sizes.allSatisfy { $0 == sizes[0] }
    }
    if square.count < cases.count { omitted = "\(cases.count - square.count) cases that are not square" }
    let kinds = Set(square.map(Self.kind))
    for line in square {
      guard let n = line["n"]?.double, let peak = line["peakGflops"]?.double else { continue }
      var rates = [("FisherKit", line["gflops"]?.double ?? .nan)]
      rates +=
        line["peers"]?.members.compactMap { name, peer in peer["gflops"]?.double.map { (name, $0) } } ?? []
      for (library, rate) in rates {
        let kind = kinds.count > 1 ? [Self.kind(line)] : []
        let words = [library] + kind + [line["type"]?.string ?? ""]
        add(n, 100 * rate / peak, to: words.joined(separator: " "))
      }
    }
  }

  /// The suite and what distinguishes cases of one size: `gemm nn`.
  private static func kind(_ line: JSON) -> String {
    let words = (line["case"]?.string ?? "").split(separator: " ").filter { !($0.first?.isNumber ?? true) }
    return ([line["suite"]?.string ?? ""] + words.map(String.init)).joined(separator: " ")
  }

  /// Training runs: accuracy on the test data after each epoch, or the loss where there are no classes.
  ///
  /// - Parameters:
  ///   - runs: the lines of each log, by the name of its file.
  ///   - x: `seconds`, `step` or `epoch`.
  package init(runs: [(name: String, lines: [JSON])], over x: String) {
    let epochs = runs.map { $0.lines.filter { $0["event"]?.string == "epoch" } }
    let hasClasses = epochs.joined().allSatisfy { $0["testAccuracy"]?.double != nil }
    self.init(
      xTitle: x == "seconds" ? "seconds of training" : x,
      yTitle: hasClasses ? "test accuracy, percent" : "test loss",
      isLogarithmic: false, isPercent: hasClasses)
    let optimizers = runs.map { $0.lines.lazy.compactMap { $0["optimizer"]?.string }.first ?? $0.name }
    // The file tells runs of one optimizer apart.
    let areDistinct = Set(optimizers).count == runs.count
    for (i, run) in runs.enumerated() {
      for line in epochs[i] {
        let y = hasClasses ? line["testAccuracy"]?.double.map { 100 * $0 } : line["testLoss"]?.double
        guard let x = line[x]?.double, let y else { continue }
        add(x, y, to: areDistinct ? optimizers[i] : run.name)
      }
    }
  }

  private init(xTitle: String, yTitle: String, isLogarithmic: Bool, isPercent: Bool) {
    self.xTitle = xTitle
    self.yTitle = yTitle
    self.isLogarithmic = isLogarithmic
    self.isPercent = isPercent
  }

  private mutating func add(_ x: Double, _ y: Double, to name: String) {
    guard x.isFinite, y.isFinite else { return }
    let i =
      series.firstIndex { $0.name == name }
      ?? {
        series.append(Series(name: name, points: []))
        return series.count - 1
      }()
    series[i].points.append((x, y))
  }
}
