import FisherCommandLine

/// A table whose columns can be sorted.
package struct Table {
  /// What a cell shows, and what it is sorted by.
  package struct Value {
    let text: String
    let order: String

    package init(_ text: String) {
      self.text = text
      order = text
    }

    /// A number; what is not known comes last.
    package init(_ text: String, by number: Double) {
      self.text = text
      order = number.isFinite ? "\(number)" : "1e300"
    }
  }

  let caption: String
  let heads: [String]
  /// The first value of a row is its head.
  let rows: [[Value]]

  package init(caption: String, heads: [String], rows: [[Value]]) {
    self.caption = caption
    self.heads = heads
    self.rows = rows
  }

  package var html: String {
    let head = heads.map { "<th scope=\"col\"><button type=\"button\">\(Page.escaped($0))</button></th>" }
    let body = rows.map { row in
      let cells = row.enumerated().map { i, value in
        let attributes = "data-v=\"\(Page.escaped(value.order))\""
        let isText = Double(value.order) == nil
        return i == 0
          ? "<th scope=\"row\" \(attributes)>\(Page.escaped(value.text))</th>"
          : "<td\(isText ? " class=\"text\"" : "") \(attributes)>\(Page.escaped(value.text))</td>"
      }
      return "<tr>\(cells.joined())</tr>"
    }
    // A region that scrolls must be reachable by the keyboard.
    return """
      <div class="scroll" role="region" aria-label="\(Page.escaped(caption))" tabindex="0">
      <table>
      <caption><span>\(Page.escaped(caption))</span></caption>
      <thead><tr>\(head.joined())</tr></thead>
      <tbody>
      \(body.joined(separator: "\n"))
      </tbody>
      </table>
      </div>
      """
  }
}

/// Numbers as tables show them.
package enum Figure {
  /// Three digits that count; `∞` for what was missed, `–` for what is not known.
  package static func text(_ x: Double?) -> String {
    guard let x, !x.isNaN else { return "–" }
    if x.isInfinite { return "∞" }
    if x == 0 { return "0" }
    let magnitude = abs(x)
    if magnitude >= 1e6 || magnitude < 1e-3 { return scientific(x, 1) }
    if magnitude >= 100 { return fixed(x, 0) }
    return fixed(x, magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : magnitude >= 0.1 ? 3 : 4)
  }

  package static func value(_ x: Double?) -> Table.Value { Table.Value(text(x), by: x ?? .nan) }
}
