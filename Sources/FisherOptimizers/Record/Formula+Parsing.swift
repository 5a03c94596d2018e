import FisherRuntime

extension Formula {
  /// A formula from its text, like `2*I*J^2 + J^3/refreshPeriod`.
  ///
  /// - Parameter periods: the hyper-parameters that it may divide by.
  /// - Returns: nil if the text is none, or names something that is not known.
  package init?(_ text: String, periods: Set<String>) {
    var sum: Formula = 0
    for term in text.split(separator: "+", omittingEmptySubsequences: false) {
      guard let term = Formula(term: term, periods) else { return nil }
      sum = sum + term
    }
    self = sum
  }

  /// `2*I*J^2/period`
  private init?(term: Substring, _ periods: Set<String>) {
    var (product, isDivisor): (Formula, Bool) = (1, false)
    var rest = term[...]
    while true {
      let end = rest.firstIndex { "*/".contains($0) } ?? rest.endIndex
      guard let factor = Formula(factor: rest[..<end], periods) else { return nil }
      if isDivisor && factor.terms.isEmpty { return nil }
      product = isDivisor ? product / factor : product * factor
      if end == rest.endIndex { break }
      isDivisor = rest[end] == "/"
      rest = rest[rest.index(after: end)...]
    }
    self = product
  }

  /// `J^2`, `J`, `2`
  private init?(factor: Substring, _ periods: Set<String>) {
    let parts = factor.split(separator: "^", omittingEmptySubsequences: false).map { part in
      String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
    guard (1...2).contains(parts.count) else { return nil }
    let base: Formula
    if let number = try? NumberText.integer(parts[0], from: 0) {
      base = Formula(integerLiteral: number)
    } else if let size = Self.sizes.first(where: { $0.description == parts[0] }) {
      base = size
    } else if periods.contains(parts[0]) {
      base = .period(parts[0], parts[0])
    } else {
      return nil
    }
    if parts.count == 1 {
      self = base
      return
    }
    guard let exponent = try? NumberText.integer(parts[1], from: 1), exponent <= 9 else { return nil }
    self = (1..<exponent).reduce(base) { power, _ in power * base }
  }

  private static let sizes: [Formula] = [.P, .I, .J, .R, .K, .N, .C]
}
