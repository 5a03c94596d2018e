/// Pieces of a page, written so that they are both HTML and well-formed XML.
package enum Page {
  package static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "&": result += "&amp;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
    return result
  }

  /// The whole page. Nothing in it comes from elsewhere.
  package static func html(title: String, _ body: [String]) -> String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8"/>
    <meta name="viewport" content="width=device-width, initial-scale=1"/>
    <title>\(escaped(title))</title>
    <style>
    \(colours)
    \(layout)
    \(marks)
    </style>
    </head>
    <body>
    <main>
    \(body.joined(separator: "\n"))
    </main>
    <script>
    \(script)
    </script>
    </body>
    </html>

    """
  }

  /// Colours told apart by persons with any of the common colour deficiencies (Okabe & Ito 2008), and by their dashes.
  static let colours = """
    :root { color-scheme: light dark; --ground: #ffffff; --ink: #1f2328; --soft: #59636e; --line: #d1d9e0;
      --c0: #1f2328; --c1: #0072b2; --c2: #c44e00; --c3: #00795a; --c4: #a8497f; --c5: #8a6d00; --c6: #2b7fb8;
      --rest: #8b949e; --h0: #8c3d00; --h1: #d9760f; --h2: #f5bd79; --h3: #d8dde3; --h4: #a3cbe6; --h5: #4a93c9;
      --h6: #12559a }
    @media (prefers-color-scheme: dark) { :root { --ground: #0d1117; --ink: #e6edf3; --soft: #9198a1;
      --line: #3d444d; --c0: #e6edf3; --c1: #58a6ff; --c2: #ff9b57; --c3: #3fc99a; --c4: #f08cc4; --c5: #e3c04b;
      --c6: #7cc7ff; --rest: #6e7681; --h0: #ff8a2a; --h1: #c96a1c; --h2: #87552c; --h3: #3b424b; --h4: #335f80;
      --h5: #4694cc; --h6: #8fd0ff } }
    """

  /// The page itself and its tables.
  private static let layout = """
    body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
    main { max-width: 62rem; margin: 0 auto; padding: 1rem }
    h1, h2, h3 { line-height: 1.25 }
    p, li { max-width: 44rem }
    pre { overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere }
    li { overflow-wrap: anywhere }
    .scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px }
    .scroll:focus-visible, button:focus-visible { outline: 2px solid var(--c1) }
    table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; width: 100% }
    caption { text-align: left; padding: .5rem; color: var(--soft) }
    caption span { position: sticky; left: .5rem; display: inline-block; max-width: min(100%, calc(100vw - 4rem)) }
    th, td { padding: .3rem .5rem; text-align: right; white-space: nowrap; border-top: 1px solid var(--line) }
    th:first-child, td.text { text-align: left }
    thead th { vertical-align: bottom }
    tbody th { position: sticky; left: 0; background: var(--ground); font-weight: 600 }
    th button { font: inherit; font-weight: 600; color: inherit; background: none; border: 0; padding: 0;
      cursor: pointer; text-align: inherit }
    th[aria-sort=ascending] button::after { content: " ▲" }
    th[aria-sort=descending] button::after { content: " ▼" }
    .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1rem }
    figure { margin: 0; max-width: 34rem }
    figcaption { color: var(--soft); font-size: .85rem }
    svg { width: 100%; height: auto; display: block }
    .key { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1rem; font-size: .85rem }
    .key svg { display: inline-block; width: 2rem; height: .8rem; vertical-align: middle }
    @media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth } }
    """

  /// What drawings consist of.
  static let marks = """
    svg text { font: 13px system-ui, sans-serif; fill: var(--ink) }
    .grid { stroke: var(--line); stroke-width: 1 }
    .target { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 2 3 }
    .curve { fill: none; stroke-width: 2; stroke-linejoin: round }
    .band { opacity: .15; stroke: none }
    .rest { stroke: var(--rest); stroke-width: 1; opacity: .5 }
    \((0...6).map { ".h\($0) { fill: var(--h\($0)) }" }.joined(separator: " "))
    .mark { fill: var(--ink); stroke: var(--ground); stroke-width: .5 }
    """

  /// Sorts a table by the column whose head is pressed. Without it the tables stay in the order of their first ranking.
  private static let script = """
    document.querySelectorAll("th button").forEach(function (button) {
      button.addEventListener("click", function () {
        var head = button.parentElement, row = head.parentElement, table = row.closest("table");
        var place = Array.from(row.children).indexOf(head);
        var sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        Array.from(row.children).forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
        var rows = Array.from(table.tBodies[0].rows);
        var value = function (row) { return row.children[place].getAttribute("data-v"); };
        rows.sort(function (a, b) {
          var x = Number(value(a)), y = Number(value(b));
          if (isNaN(x) || isNaN(y)) { return sign * value(a).localeCompare(value(b)); }
          return x === y ? 0 : sign * (x - y);
        });
        rows.forEach(function (row) { table.tBodies[0].appendChild(row); });
      });
    });
    """
}
