import FisherCommandLine
import FisherKit
import FisherPages
import FisherRuntime

/// The drawings of a workload.
struct Charts {
  let summary: WorkloadSummary
  private let name: String
  private let rows: [WorkloadSummary.Row]
  /// The colours of those that are named: the baseline first, then the fastest.
  private let styles: [String: Int]

  init(_ summary: WorkloadSummary) {
    self.summary = summary
    name = summary.workload.name
    rows = summary.ranked
    let base = ComparisonOptions.baseline
    let best = rows.map(\.summary.method).filter { !$0.isPlacebo && $0.name != base }.prefix(5)
    styles = Dictionary(uniqueKeysWithValues: ([base] + best.map(\.name)).enumerated().map { ($1, $0) })
  }

  /// For each step the quartiles over the seeds; of a run that ended early, infinity from there on.
  private func quartiles(_ row: WorkloadSummary.Row) -> [(
    step: Int, low: Double, middle: Double, high: Double
  )] {
    let curves = row.summary.outcomes.values.map(\.curve)
    guard let longest = curves.max(by: { $0.steps.count < $1.steps.count }), !longest.steps.isEmpty else {
      return []
    }
    return longest.steps.indices.map { i in
      let losses = curves.map { i < $0.losses.count && !$0.losses[i].isNaN ? $0.losses[i] : .infinity }
      return (
        longest.steps[i], Quantiles.quantile(0.25, of: losses), Quantiles.median(losses),
        Quantiles.quantile(0.75, of: losses)
      )
    }
  }

  private func curves(_ unit: (WorkloadSummary.Row) -> Double?) -> [LineChart.Series] {
    rows.compactMap { row in
      guard let unit = unit(row) else { return nil }
      let points = quartiles(row)
      return LineChart.Series(
        name: row.summary.method.name, style: styles[row.summary.method.name],
        points: points.map { (unit * Double($0.step), $0.middle) }, low: points.map(\.low),
        high: points.map(\.high))
    }
  }

  private var lossScale: Scale {
    let losses = rows.flatMap { $0.summary.outcomes.values.flatMap(\.curve.losses) }.filter {
      $0 > 0 && $0.isFinite
    }
    let first = rows.compactMap { $0.summary.outcomes.values.first?.curve.losses.first }.max() ?? 1
    let least = losses.min() ?? summary.workload.target
    // Three powers of ten below the target are enough for anyone.
    return Scale(
      logarithmicFrom: max(min(least, summary.workload.target) / 1.2, summary.workload.target / 1e3),
      to: max(first, summary.workload.target) * 1.5)
  }

  private static let bands =
    "Medians over the seeds with their quartiles; the dotted line is the target."

  var lossOverSteps: String {
    LineChart(
      "\(name): loss over steps", summary: "Loss of the test data. " + Self.bands, curves { _ in 1 },
      x: Scale(linearTo: Double(summary.workload.budget)), y: lossScale, xTitle: "steps",
      target: summary.workload.target
    ).figure
  }

  var lossOverTime: String {
    let budget = Double(summary.workload.budget)
    // As long as the slowest of those that are named, but no longer than four times the baseline.
    let named = rows.filter { styles[$0.summary.method.name] != nil }.compactMap(\.summary.secondsPerStep)
    let base = rows.first { $0.summary.method.name == ComparisonOptions.baseline }?.summary.secondsPerStep
    let longest = min(named.max() ?? 1, 4 * (base ?? .infinity))
    let series = curves(\.summary.secondsPerStep).map { one in
      let count = max(2, one.points.prefix { $0.x <= budget * longest }.count)
      return LineChart.Series(
        name: one.name, style: one.style, points: Array(one.points.prefix(count)),
        low: Array(one.low.prefix(count)), high: Array(one.high.prefix(count)))
    }
    return LineChart(
      "\(name): loss over time",
      summary: "Loss of the test data over steps times the seconds of a step. " + Self.bands,
      series, x: Scale(linearTo: budget * longest), y: lossScale, xTitle: "seconds of training",
      target: summary.workload.target
    ).figure
  }

  var timeToTarget: String {
    let seconds = rows.compactMap(\.seconds).filter(\.isFinite)
    let ends = rows.compactMap(\.secondsInterval).flatMap { [$0.low, $0.high] }.filter(\.isFinite)
    guard let low = (seconds + ends).min(), let high = (seconds + ends).max(), low > 0 else { return "" }
    let scale = Scale(logarithmicFrom: low / 1.5, to: high * 1.5)
    return RowChart(
      "\(name): time to the target",
      summary: "Medians over the seeds with 95 % intervals; beside them how many seeds met the target.",
      rows.filter { $0.summary.secondsPerStep != nil }.map { row in
        var line = RowChart.Row(name: row.summary.method.name)
        if let interval = row.secondsInterval, interval.low.isFinite {
          line.span = (interval.low, interval.high)
        }
        if let seconds = row.seconds, seconds.isFinite { line.dots = [(seconds, true)] }
        line.note = "\(row.met)/\(row.summary.outcomes.count)"
        return line
      }, scale, axisTitle: "seconds"
    ).figure
  }

  /// Needs the measurements of the record; the parts of a step in their order.
  var phases: String {
    let measured = summary.phases.sorted { $0.phases.step < $1.phases.step }
    guard let median = measured.isEmpty ? nil : measured[measured.count * 3 / 4].phases.step else {
      return ""
    }
    return RowChart(
      "\(name): parts of a step",
      summary:
        "Milliseconds on average over a method's cycle; beside them the whole. Bars that do not fit are cut off.",
      measured.map { method, phases in
        var row = RowChart.Row(name: method)
        row.bars = phases.parts.enumerated().map { ($1.seconds * 1e3, $0 + 1) }
        row.note = Figure.text(phases.step * 1e3)
        return row
      }, Scale(linearTo: median * 2e3), axisTitle: "ms", names: Phases().parts.map(\.name)
    ).figure
  }

  /// How near directions are to the natural gradient's, and what a step of them costs.
  var closeness: String {
    let points = rows.compactMap { row -> ScatterChart.Point? in
      guard let seconds = row.summary.secondsPerStep, let γ = row.summary.relativeγ,
        !row.summary.method.isPlacebo
      else { return nil }
      let name = row.summary.method.name
      return ScatterChart.Point(name: name, x: seconds * 1e3, y: γ, style: styles[name])
    }
    if points.isEmpty { return "" }
    return ScatterChart(
      "\(name): closeness and its cost",
      summary:
        "γ of a method's direction over that of the gradient, lower is closer to the natural gradient, and the "
        + "milliseconds of a step.",
      points, xTitle: "ms a step", yTitle: "γ(Δ)/γ(g)"
    ).figure
  }

  /// One for the learning rate, one for the damping.
  var sensitivities: [String] {
    [("learning rate", { $0 == "lr" }), ("damping", { $0 != "lr" })].compactMap {
      (title: String, isWanted: (String) -> Bool) in
      let lines = rows.compactMap { row -> RowChart.Row? in
        guard let axis = row.summary.axes.first(where: { isWanted($0.name) }) else { return nil }
        let values = row.summary.values(of: axis)
        return RowChart.Row(
          name: row.summary.method.name, dots: values.map { ($0.value / axis.center, $0.met) },
          note: "\(values.count(where: \.met))/\(values.count)")
      }
      if lines.isEmpty { return nil }
      let factor = title == "damping" ? 100.0 : 30
      return RowChart(
        "\(name): sensitivity to the \(title)",
        summary: "Random settings over the default; full dots met the target. Beside them how many did.",
        lines,
        Scale(logarithmicFrom: 1 / factor, to: factor), axisTitle: "\(title) over its default"
      ).figure
    }
  }

  /// ρ(τ) of the methods with the largest area.
  static func profile(_ profile: PerformanceProfile, names: [String], problems: Int) -> String {
    let factors = (0...60).map { pow(16, Double($0) / 60) }
    let areas = names.indices.map { i in factors.reduce(0) { $0 + profile.share(i, within: $1) } }
    let best = names.indices.sorted { areas[$0] > areas[$1] }.filter {
      names[$0] != ComparisonOptions.baseline
    }
    let order = names.indices.filter { names[$0] == ComparisonOptions.baseline } + best.prefix(5)
    return LineChart(
      "Performance profile",
      summary:
        "The part of \(problems) problems, pairs of a workload and a seed, that a method solves within a factor of "
        + "the least time of all.",
      names.indices.map { i in
        LineChart.Series(
          name: names[i], style: order.firstIndex(of: i),
          points: factors.map { ($0, profile.share(i, within: $0)) })
      }, x: Scale(logarithmicFrom: 1, to: 16), y: Scale(linearTo: 1), xTitle: "factor of the least time"
    ).figure
  }
}
