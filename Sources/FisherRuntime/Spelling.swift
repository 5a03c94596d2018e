/// Hints for misspelt names.
package enum Spelling {
  /// `; did you mean adam, adamw?` with up to three near names, or the list of all if none is near.
  ///
  /// - Parameter prefix: stands before each of the names, as `--` before options.
  package static func hint(for word: String, among known: [String], prefix: String = "") -> String {
    let near = known.map { (name: $0, distance: distance(word.lowercased(), $0)) }
      .filter { $0.distance <= max(2, word.count / 3) }
      .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
      .prefix(3).map(\.name)
    if near.isEmpty { return "; there are: " + known.map { prefix + $0 }.joined(separator: ", ") }
    return "; did you mean " + near.map { prefix + $0 }.joined(separator: ", ") + "?"
  }

  /// Insertions, deletions and replacements that turn one word into the other.
  package static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var row = Array(0...b.count)
    for i in 0..<a.count {
      var diagonal = row[0]
      row[0] = i + 1
      for j in 0..<b.count {
        let replaced = diagonal + (a[i] == b[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
      }
    }
    return row[b.count]
  }
}
