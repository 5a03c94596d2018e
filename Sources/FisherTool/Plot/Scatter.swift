import FisherRuntime

/// Named points as SVG, both axes logarithmic: readable on light and dark grounds, without anything from elsewhere.
struct Scatter {
  struct Point {
    let name: String
    let x, y: Double
  }

  let title, xTitle, yTitle: String
  let points: [Point]

  private let width = 760.0
  private let height = 520.0
  private let top = 36.0
  private let bottom = 48.0
  private let left = 64.0
  private let right = 110.0

  /// The file.
  var svg: String {
    let (xs, ys) = (Decades(points.map(\.x)), Decades(points.map(\.y)))
    let x = { left + xs.position($0) * (width - left - right) }
    let y = { height - bottom - ys.position($0) * (height - top - bottom) }
    var parts = [head]
    for tick in ys.ticks {
      parts.append(line(left, y(tick), width - right, y(tick)))
      parts.append(text(left - 8, y(tick) + 4, Self.number(tick), "end"))
    }
    for tick in xs.ticks {
      parts.append(line(x(tick), top, x(tick), height - bottom))
      parts.append(text(x(tick), height - bottom + 18, Self.number(tick), "middle"))
    }
    parts.append(text((left + width - right) / 2, height - 10, xTitle, "middle"))
    parts.append(text(left, 20, "\(title): \(yTitle)", "start"))
    // From top to bottom, so that a name moves down where another is.
    var taken: [(x: Double, y: Double)] = []
    for point in points.sorted(by: { (y($0.y), $0.name) < (y($1.y), $1.name) }) {
      let (px, py) = (x(point.x), y(point.y))
      parts.append("<circle cx=\"\(Self.short(px))\" cy=\"\(Self.short(py))\" r=\"3.5\"/>")
      var place = py + 4
      while taken.contains(where: { abs($0.x - px) < 70 && abs($0.y - place) < 11 }) { place += 2 }
      taken.append((px, place))
      parts.append(text(px + 7, place, point.name, "start"))
    }
    return (parts + ["</svg>", ""]).joined(separator: "\n")
  }

  private var head: String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.short(width)) \(Self.short(height))" role="img">
    <title>\(title): \(yTitle), \(xTitle)</title>
    <style>
    text { font: 12px sans-serif; fill: #24292f; } line { stroke: #8884; } circle { fill: #0072b2; }
    @media (prefers-color-scheme: dark) { text { fill: #e6edf3; } circle { fill: #56b4e9; } }
    </style>
    """
  }

  private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> String {
    "<line x1=\"\(Self.short(x1))\" y1=\"\(Self.short(y1))\" x2=\"\(Self.short(x2))\" y2=\"\(Self.short(y2))\"/>"
  }

  private func text(_ x: Double, _ y: Double, _ content: String, _ anchor: String) -> String {
    "<text x=\"\(Self.short(x))\" y=\"\(Self.short(y))\" text-anchor=\"\(anchor)\">\(content)</text>"
  }

  private static func short(_ x: Double) -> String { "\((x * 10).rounded() / 10)" }

  private static func number(_ x: Double) -> String { x >= 1 ? "\(Int(x.rounded()))" : "\(x)" }
}

/// A logarithmic axis with ticks at 1, 2 and 5 times the powers of ten.
private struct Decades {
  let low, high: Double
  let ticks: [Double]

  init(_ values: [Double]) {
    let (least, most) = (values.min() ?? 1, values.max() ?? 1)
    let places = (-6...6).flatMap { power in [1.0, 2, 5].map { round($0, power) } }
    let below = places.last { $0 <= least } ?? least
    let above = places.first { $0 >= most && $0 > below } ?? most
    (low, high) = (below, above)
    ticks = places.filter { $0 >= below && $0 <= above }
    func round(_ digit: Double, _ power: Int) -> Double {
      let scale = (0..<abs(power)).reduce(1.0) { product, _ in product * 10 }
      return power < 0 ? digit / scale : digit * scale
    }
  }

  /// From 0 at the low end to 1 at the high one.
  func position(_ value: Double) -> Double { log(value / low) / log(high / low) }
}
