import FisherCommandLine

/// Named points, both axes logarithmic.
package struct ScatterChart {
  package struct Point {
    let name: String
    let x: Double
    let y: Double
    /// The colour; nil for grey.
    let style: Int?

    package init(name: String, x: Double, y: Double, style: Int? = nil) {
      self.name = name
      self.x = x
      self.y = y
      self.style = style
    }
  }

  let title: String
  let summary: String
  let points: [Point]
  let xTitle: String
  let yTitle: String

  private let left = 48.0
  private let right = 72.0
  private let top = 26.0
  private let bottom = 44.0
  private let height = 380.0
  private let lineHeight = 11.0

  /// - Precondition: all places are positive and finite, and there is one.
  package init(_ title: String, summary: String, _ points: [Point], xTitle: String, yTitle: String) {
    precondition(
      !points.isEmpty && points.allSatisfy { $0.x > 0 && $0.y > 0 && $0.x.isFinite && $0.y.isFinite },
      "ScatterChart: \(points.map { [$0.x, $0.y] })")
    self.title = title
    self.summary = summary
    self.points = points
    self.xTitle = xTitle
    self.yTitle = yTitle
  }

  /// The drawing for a page.
  package var figure: String { chart.figure() }

  /// The drawing as a file of its own.
  package var file: String { chart.file }

  private static func scale(_ values: [Double]) -> Scale {
    Scale(logarithmicFrom: values.min()! / 1.15, to: values.max()! * 1.15)
  }

  private var chart: Chart {
    var chart = Chart(title, summary: summary, height: height)
    let (xs, ys) = (Self.scale(points.map(\.x)), Self.scale(points.map(\.y)))
    let end = Chart.width - right
    func x(_ value: Double) -> Double { left + xs.place(value) * (end - left) }
    func y(_ value: Double) -> Double { height - bottom - ys.place(value) * (height - top - bottom) }
    for tick in ys.ticks {
      chart.line(left, y(tick), end, y(tick))
      chart.text(left - 6, y(tick) + 4, Chart.label(tick), anchor: "end")
    }
    for tick in xs.ticks {
      chart.line(x(tick), top, x(tick), height - bottom)
      chart.text(x(tick), height - bottom + 18, Chart.label(tick), anchor: "middle")
    }
    chart.text((left + end) / 2, height - 6, xTitle, anchor: "middle")
    chart.text(4, 14, yTitle)
    // From top to bottom, so that a name moves down where another is.
    var taken: [(x: Double, y: Double)] = []
    for point in points.sorted(by: { ($1.y, $0.name) < ($0.y, $1.name) }) {
      let (px, py) = (x(point.x), y(point.y))
      chart.dot(px, py, "r=\"3.5\" fill=\"var(--\(point.style.map { "c\($0)" } ?? "rest"))\"")
      var place = py + 4
      while taken.contains(where: { abs($0.x - px) < 70 && abs($0.y - place) < lineHeight }) { place += 2 }
      taken.append((px, place))
      chart.text(px + 7, place, point.name)
    }
    return chart
  }
}
