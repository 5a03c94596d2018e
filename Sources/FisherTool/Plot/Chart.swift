import FisherCommandLine
import FisherRuntime

/// A line chart as SVG: readable on light and dark grounds, without a script, a font or anything else from elsewhere.
package struct Chart {
  package let data: PlotData
  package let title: String

  private let width = 760.0
  private let height = 380.0
  /// Room around the lines, for the title, ticks and names.
  private let top = 36.0
  private let bottom = 48.0
  private let left = 56.0
  private let right = 208.0

  /// Told apart by persons with any of the common colour deficiencies (Okabe and Ito 2008).
  private static let colors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f"]

  package init(data: PlotData, title: String) {
    self.data = data
    self.title = title
  }

  /// The file.
  package var svg: String {
    let xs = Axis(data.series.flatMap { $0.points.map(\.x) }, isLogarithmic: data.isLogarithmic)
    let ys = Axis(
      data.series.flatMap { $0.points.map(\.y) } + (data.isLogarithmic ? [0, 100] : []),
      limit: data.isPercent ? 100 : .infinity)
    let x = { left + xs.position($0) * (width - left - right) }
    let y = { height - bottom - ys.position($0) * (height - top - bottom) }
    var parts = [head]
    for tick in ys.ticks {
      parts.append(line(left, y(tick), width - right, y(tick), "grid"))
      parts.append(text(left - 8, y(tick) + 4, number(tick), "end"))
    }
    for tick in xs.ticks { parts.append(text(x(tick), height - bottom + 18, number(tick), "middle")) }
    parts.append(text((left + width - right) / 2, height - 10, data.xTitle, "middle"))
    for (i, series) in data.series.enumerated() {
      let points = series.points.sorted { $0.x < $1.x }.map { "\(fixed(x($0.x), 1)),\(fixed(y($0.y), 1))" }
      parts.append(
        "<polyline class=\"series\" stroke=\"\(Self.colors[i % Self.colors.count])\" points=\""
          + points.joined(separator: " ") + "\"><title>\(escaped(series.name))</title></polyline>")
    }
    parts += labels(y)
    return parts.joined(separator: "\n") + "\n</svg>\n"
  }

  private var head: String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(width)) \(Int(height))" role="img" \
    aria-label="\(escaped(title)): \(escaped(data.yTitle)) over \(escaped(data.xTitle))">
    <style>
    text { font: 13px system-ui, sans-serif; fill: #24292f }
    .grid { stroke: #8884; stroke-width: 1 }
    .series { fill: none; stroke-width: 2.2; stroke-linejoin: round }
    @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }
    </style>
    \(text(left, 20, title + ": " + data.yTitle, "start"))
    """
  }

  /// The names, beside the last points of their lines, far enough apart to be read.
  private func labels(_ y: (Double) -> Double) -> [String] {
    var last = -Double.infinity
    let ends = data.series.enumerated().map { i, series in
      (i, y(series.points.max { $0.x < $1.x }?.y ?? 0), series.name)
    }
    return ends.sorted { $0.1 < $1.1 }.map { i, place, name in
      last = max(place + 4, last + 17)
      let color = Self.colors[i % Self.colors.count]
      return
        "<rect x=\"\(Int(width - right + 8))\" y=\"\(fixed(last - 8, 1))\" width=\"10\" height=\"4\" fill=\"\(color)\"/>"
        + text(width - right + 24, last, name, "start")
    }
  }

  private func line(_ x0: Double, _ y0: Double, _ x1: Double, _ y1: Double, _ style: String) -> String {
    "<line class=\"\(style)\" x1=\"\(fixed(x0, 1))\" y1=\"\(fixed(y0, 1))\" x2=\"\(fixed(x1, 1))\" y2=\"\(fixed(y1, 1))\"/>"
  }

  private func text(_ x: Double, _ y: Double, _ content: String, _ anchor: String) -> String {
    "<text x=\"\(fixed(x, 1))\" y=\"\(fixed(y, 1))\" text-anchor=\"\(anchor)\">\(escaped(content))</text>"
  }

  private func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e6 ? String(Int(value)) : "\(Float(value))"
  }

  private func escaped(_ text: String) -> String {
    text.map { ["<": "&lt;", ">": "&gt;", "&": "&amp;", "\"": "&quot;"][$0] ?? String($0) }.joined()
  }
}
