import FisherCommandLine

/// Ratios over two sizes, a square of coloured cells for each range of a third.
package struct HeatMap {
  package struct Cell {
    /// From 0, in cells.
    let row: Int
    let column: Int
    let ratio: Double
    let isMarked: Bool
    /// What is said of the cell where the pointer rests.
    let name: String

    package init(row: Int, column: Int, ratio: Double, isMarked: Bool, name: String) {
      self.row = row
      self.column = column
      self.ratio = ratio
      self.isMarked = isMarked
      self.name = name
    }
  }

  package struct Panel {
    let name: String
    let cells: [Cell]

    package init(name: String, cells: [Cell]) {
      self.name = name
      self.cells = cells
    }
  }

  let title: String
  let summary: String
  let panels: [Panel]
  /// Cells along a side of a panel.
  let side: Int
  /// The greatest of both sizes.
  let most: Int
  /// What a mark in a cell means.
  let markTitle: String

  /// Where the colours change: the one in the middle is that of equals.
  static let bounds = [0.5, 0.8, 0.9, 1.1, 1.5, 2]
  /// More cells than these are drawn without their names.
  private static let mostNames = 2000

  private let across = 4
  private let width = 100.0
  private let gap = 14.0
  private let left = 30.0
  private let top = 22.0
  private let bottom = 18.0

  /// - Precondition: 0 ≤ row, column < `side` for every cell.
  package init(
    _ title: String, summary: String, _ panels: [Panel], side: Int, most: Int, markTitle: String
  ) {
    self.title = title
    self.summary = summary
    self.panels = panels
    self.side = side
    self.most = most
    self.markTitle = markTitle
  }

  /// The colour of a ratio, from 0, far below 1, to 6.
  static func level(_ ratio: Double) -> Int { bounds.count { ratio >= $0 } }

  /// The drawing for a page.
  package var figure: String { chart.figure() }

  /// The drawing as a file of its own.
  package var file: String { chart.file }

  private var rowHeight: Double { top + width + bottom }

  private var chart: Chart {
    let rows = (panels.count + across - 1) / across
    var chart = Chart(title, summary: summary, height: Double(rows) * rowHeight + 62)
    for (i, panel) in panels.enumerated() {
      draw(
        panel, left + Double(i % across) * (width + gap), top + Double(i / across) * rowHeight, into: &chart)
    }
    drawKey(Double(rows) * rowHeight, into: &chart)
    return chart
  }

  private func draw(_ panel: Panel, _ x: Double, _ y: Double, into chart: inout Chart) {
    let unit = width / Double(side)
    chart.text(x + width / 2, y - 6, panel.name, anchor: "middle")
    let isNamed = panels.reduce(0) { $0 + $1.cells.count } <= Self.mostNames
    for cell in panel.cells {
      chart.cell(
        x + Double(cell.column) * unit, y + Double(cell.row) * unit, unit, "h\(Self.level(cell.ratio))",
        name: isNamed ? cell.name : nil)
    }
    for cell in panel.cells where cell.isMarked {
      chart.dot(
        x + (Double(cell.column) + 0.5) * unit, y + (Double(cell.row) + 0.5) * unit,
        "class=\"mark\" r=\"\(fixed(min(2.5, unit / 2), 1))\"")
    }
    // One pair of axes for a row of panels, the other under each panel.
    if x == left {
      chart.text(x - 4, y + 11, "1", anchor: "end")
      chart.text(x - 4, y + width / 2, "m", anchor: "end")
      chart.text(x - 4, y + width, "\(most)", anchor: "end")
    }
    chart.text(x, y + width + 13, "1")
    chart.text(x + width / 2, y + width + 13, "n", anchor: "middle")
    chart.text(x + width, y + width + 13, "\(most)", anchor: "end")
  }

  /// The colours with the ratios that they stand for, and the mark.
  private func drawKey(_ y: Double, into chart: inout Chart) {
    let names =
      ["< \(Chart.label(Self.bounds[0]))"]
      + zip(Self.bounds, Self.bounds.dropFirst()).map { "\(Chart.label($0))–\(Chart.label($1))" }
      + ["≥ \(Chart.label(Self.bounds.last!))"]
    let step = (Chart.width - left) / Double(names.count)
    for (i, name) in names.enumerated() {
      chart.bar(left + Double(i) * step, y + 8, step - 4, 12, "class=\"h\(i)\"")
      chart.text(left + Double(i) * step, y + 34, name)
    }
    chart.dot(left + 4, y + 50, "class=\"mark\" r=\"2.5\"")
    chart.text(left + 14, y + 54, markTitle)
  }
}
