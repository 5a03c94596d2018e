/// Hints for misspelt names.
package enum Spelling {
  /// `; did you mean adam, adamw?` with up to three near names, or the list of all if none is near.
  ///
  /// A name is near if a mistake, or one for every three letters, leads from it to the word.
  ///
  /// - Parameter prefix: what stands before each name, such as the dashes of an option.
  package static func hint(for word: String, among known: [String], prefix: String = "") -> String {
    let names = word.count > 60 ? [] : nearest(to: word, among: known)
    if names.isEmpty { return "; there are: " + known.map { prefix + $0 }.joined(separator: ", ") }
    return "; did you mean " + names.map { prefix + $0 }.joined(separator: ", ") + "?"
  }

  /// Up to three names, the nearest first.
  private static func nearest(to word: String, among known: [String]) -> [String] {
    known.map { (name: $0, distance: distance(word.lowercased(), $0.lowercased())) }
      .filter { $0.distance <= max(1, word.count / 3) && $0.distance < word.count }
      .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
      .prefix(3).map(\.name)
  }

  /// Insertions, deletions, replacements, and exchanges of two neighbours that turn one word into the other.
  package static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var before = [Int](repeating: 0, count: b.count + 1)
    var row = Array(0...b.count)
    for i in a.indices {
      var next = [i + 1]
      for j in b.indices {
        var least = min(row[j] + (a[i] == b[j] ? 0 : 1), row[j + 1] + 1, next[j] + 1)
        if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] { least = min(least, before[j - 1] + 1) }
        next.append(least)
      }
      (before, row) = (row, next)
    }
    return row[b.count]
  }
}
