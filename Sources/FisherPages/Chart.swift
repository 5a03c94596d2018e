import FisherCommandLine

/// A drawing with a title and a description for those who cannot see it.
struct Chart {
  static let width = 480.0
  let title: String
  /// What the drawing shows, in a sentence.
  let summary: String
  let height: Double
  var parts: [String] = []

  init(_ title: String, summary: String, height: Double) {
    self.title = title
    self.summary = summary
    self.height = height
  }

  /// The drawing with its caption, and names for its colours.
  ///
  /// - Parameter key: a list of those names, as HTML.
  func figure(key: String = "") -> String {
    """
    <figure>
    \(drawing(style: nil))
    \(key)
    <figcaption>\(Page.escaped(title)). \(Page.escaped(summary))</figcaption>
    </figure>
    """
  }

  /// The drawing as a file of its own, with the colours that a page would bring.
  var file: String {
    drawing(style: Page.colours + "\nsvg { background: var(--ground) }\n" + Page.marks) + "\n"
  }

  private func drawing(style: String?) -> String {
    let id = title.lowercased().map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined()
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(Self.width)) \(Int(height))" role="img" \
      aria-labelledby="\(id)-t \(id)-d">
      <title id="\(id)-t">\(Page.escaped(title))</title>
      <desc id="\(id)-d">\(Page.escaped(summary))</desc>
      \(style.map { "<style>\n\($0)\n</style>" } ?? "")
      \(parts.joined(separator: "\n"))
      </svg>
      """
  }

  mutating func text(_ x: Double, _ y: Double, _ content: String, anchor: String = "start") {
    parts.append(
      "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">\(Page.escaped(content))</text>")
  }

  mutating func line(
    _ x0: Double, _ y0: Double, _ x1: Double, _ y1: Double, _ style: String = "class=\"grid\""
  ) {
    parts.append(
      "<line \(style) x1=\"\(number(x0))\" y1=\"\(number(y0))\" x2=\"\(number(x1))\" y2=\"\(number(y1))\"/>")
  }

  mutating func curve(_ points: [(x: Double, y: Double)], _ style: String, name: String) {
    parts.append(
      "<polyline \(style) points=\"\(Self.list(points))\"><title>\(Page.escaped(name))</title></polyline>")
  }

  mutating func area(_ points: [(x: Double, y: Double)], _ style: String) {
    parts.append("<polygon \(style) points=\"\(Self.list(points))\"/>")
  }

  mutating func dot(_ x: Double, _ y: Double, _ style: String) {
    parts.append("<circle cx=\"\(number(x))\" cy=\"\(number(y))\" \(style)/>")
  }

  mutating func bar(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ style: String) {
    parts.append(
      "<rect x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(max(0, width)))\" height=\"\(number(height))\" \(style)/>"
    )
  }

  /// A square with a name for the pointer.
  mutating func cell(_ x: Double, _ y: Double, _ side: Double, _ style: String, name: String?) {
    let place =
      "x=\"\(fixed(x, 2))\" y=\"\(fixed(y, 2))\" width=\"\(fixed(side, 2))\" height=\"\(fixed(side, 2))\""
    let title = name.map { "><title>\(Page.escaped($0))</title></rect>" } ?? "/>"
    parts.append("<rect class=\"\(style)\" \(place)\(title)")
  }

  private static func list(_ points: [(x: Double, y: Double)]) -> String {
    points.map { "\(fixed($0.x, 1)),\(fixed($0.y, 1))" }.joined(separator: " ")
  }

  private func number(_ x: Double) -> String { fixed(x, 1) }

  /// A tick's number.
  static func label(_ x: Double) -> String {
    x == 0 ? "0" : abs(x) >= 1e5 || abs(x) < 1e-3 ? scientific(x, 0) : "\(Float(x))".trimmingZeros
  }
}

extension String {
  /// Without the `.0` of whole numbers.
  fileprivate var trimmingZeros: String { hasSuffix(".0") ? String(dropLast(2)) : self }
}
