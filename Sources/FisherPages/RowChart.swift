import FisherCommandLine

/// A row for each method, with marks along one scale.
package struct RowChart {
  package struct Row {
    let name: String
    /// Parts of a bar, one behind the other, with the number of their colour.
    package var bars: [(length: Double, style: Int)] = []
    /// A line from end to end.
    package var span: (low: Double, high: Double)?
    /// Dots, filled or not.
    package var dots: [(x: Double, isFull: Bool)] = []
    /// Behind the marks.
    package var note = ""

    package init(
      name: String, bars: [(length: Double, style: Int)] = [], span: (low: Double, high: Double)? = nil,
      dots: [(x: Double, isFull: Bool)] = [], note: String = ""
    ) {
      self.name = name
      self.bars = bars
      self.span = span
      self.dots = dots
      self.note = note
    }
  }

  let title: String
  let summary: String
  let rows: [Row]
  let scale: Scale
  let axisTitle: String
  /// The names of the colours.
  var names: [String] = []

  private let left = 176.0
  private let right = 74.0
  private let rowHeight = 20.0
  private let bottom = 44.0

  package init(
    _ title: String, summary: String, _ rows: [Row], _ scale: Scale, axisTitle: String, names: [String] = []
  ) {
    self.title = title
    self.summary = summary
    self.rows = rows
    self.scale = scale
    self.axisTitle = axisTitle
    self.names = names
  }

  package var figure: String {
    let height = Double(rows.count) * rowHeight + bottom + 8
    var chart = Chart(title, summary: summary, height: height)
    let end = Chart.width - right
    func place(_ x: Double) -> Double { left + scale.place(x) * (end - left) }
    for tick in scale.ticks {
      chart.line(place(tick), 4, place(tick), height - bottom)
      chart.text(place(tick), height - bottom + 18, Chart.label(tick), anchor: "middle")
    }
    chart.text((left + end) / 2, height - 6, axisTitle, anchor: "middle")
    for (i, row) in rows.enumerated() {
      let y = 14 + Double(i) * rowHeight
      chart.text(left - 8, y + 4, row.name, anchor: "end")
      var start = 0.0
      for bar in row.bars {
        let (from, to) = (place(start), place(start + bar.length))
        chart.bar(from, y - 6, to - from, 12, "fill=\"var(--c\(bar.style))\"")
        start += bar.length
      }
      if let span = row.span {
        chart.line(place(span.low), y, place(span.high), y, "stroke=\"var(--c1)\" stroke-width=\"2\"")
      }
      for dot in row.dots {
        chart.dot(
          place(dot.x), y,
          "r=\"4.5\" stroke=\"var(--c1)\" fill=\"\(dot.isFull ? "var(--c1)" : "var(--ground)")\"")
      }
      if !row.note.isEmpty { chart.text(Chart.width - right + 8, y + 4, row.note) }
    }
    return chart.figure(key: key)
  }

  private var key: String {
    if names.isEmpty { return "" }
    let items = names.enumerated().map { i, name in
      "<li><svg viewBox=\"0 0 32 12\" aria-hidden=\"true\"><rect x=\"4\" y=\"0\" width=\"24\" height=\"12\" fill=\"var(--c\(i + 1))\"/></svg> \(Page.escaped(name))</li>"
    }
    return "<ul class=\"key\">" + items.joined() + "</ul>"
  }
}
