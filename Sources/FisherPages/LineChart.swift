import FisherCommandLine

/// Curves over steps, time or a factor.
package struct LineChart {
  package struct Series {
    package let name: String
    /// The colour and the dashes; nil for those that are drawn grey and not named.
    package let style: Int?
    package let points: [(x: Double, y: Double)]
    package let low: [Double]
    package let high: [Double]

    package init(
      name: String, style: Int?, points: [(x: Double, y: Double)], low: [Double] = [], high: [Double] = []
    ) {
      self.name = name
      self.style = style
      self.points = points
      self.low = low
      self.high = high
    }
  }

  let title: String
  let summary: String
  let series: [Series]
  let x: Scale
  let y: Scale
  let xTitle: String
  var target: Double?

  private static let dashes = ["", "6 3", "2 2", "8 3 2 3", "12 3", "4 4"]
  private let left = 58.0
  private let right = 12.0
  private let top = 12.0
  private let bottom = 44.0
  private let height = 300.0

  package init(
    _ title: String, summary: String, _ series: [Series], x: Scale, y: Scale, xTitle: String,
    target: Double? = nil
  ) {
    self.title = title
    self.summary = summary
    self.series = series
    self.x = x
    self.y = y
    self.xTitle = xTitle
    self.target = target
  }

  package var figure: String {
    var chart = Chart(title, summary: summary, height: height)
    func place(_ px: Double, _ py: Double) -> (x: Double, y: Double) {
      (
        left + x.place(px) * (Chart.width - left - right),
        height - bottom - y.place(py) * (height - top - bottom)
      )
    }
    for tick in y.ticks {
      let level = place(x.low, tick).y
      chart.line(left, level, Chart.width - right, level)
      chart.text(left - 6, level + 4, Chart.label(tick), anchor: "end")
    }
    for tick in x.ticks {
      chart.text(place(tick, y.low).x, height - bottom + 18, Chart.label(tick), anchor: "middle")
    }
    chart.text((left + Chart.width - right) / 2, height - 6, xTitle, anchor: "middle")
    if let target {
      let level = place(x.low, target).y
      chart.line(left, level, Chart.width - right, level, "class=\"target\"")
    }
    // Those that are named lie above the others.
    for one in series.sorted(by: { ($0.style ?? -1) < ($1.style ?? -1) }) where one.points.count > 1 {
      let points = one.points.map { place($0.x, $0.y) }
      guard let style = one.style else {
        chart.curve(points, "class=\"curve rest\"", name: one.name)
        continue
      }
      if !one.low.isEmpty {
        let upper = zip(one.points, one.high).map { place($0.x, $1) }
        let lower = zip(one.points, one.low).map { place($0.x, $1) }
        chart.area(upper + lower.reversed(), "class=\"band\" fill=\"var(--c\(style))\"")
      }
      chart.curve(points, "class=\"curve\" \(Self.stroke(style))", name: one.name)
    }
    return chart.figure(key: key)
  }

  private static func stroke(_ style: Int) -> String {
    "stroke=\"var(--c\(style))\" stroke-dasharray=\"\(dashes[style % dashes.count])\""
  }

  /// The names of the curves beside a piece of each.
  private var key: String {
    let named = series.filter { $0.style != nil }.sorted { $0.style! < $1.style! }
    let items = named.map { one in
      "<li><svg viewBox=\"0 0 32 12\" aria-hidden=\"true\"><line class=\"curve\" \(Self.stroke(one.style!)) x1=\"0\" y1=\"6\" x2=\"32\" y2=\"6\"/></svg> \(Page.escaped(one.name))</li>"
    }
    let hasRest = series.contains { $0.style == nil }
    return "<ul class=\"key\">" + items.joined() + (hasRest ? "<li>the others in grey</li>" : "") + "</ul>"
  }
}
