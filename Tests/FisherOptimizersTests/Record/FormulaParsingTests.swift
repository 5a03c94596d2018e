import FisherOptimizers
import Testing

@Suite struct FormulaParsingTests {
  private func parse(_ text: String) -> Formula? { Formula(text, periods: ["period"]) }

  private func value(_ formula: Formula) -> Double {
    formula.value { ["P": 3, "I": 5, "J": 7, "R": 11, "K": 13, "N": 17, "C": 19, "period": 2][$0.text]! }
  }

  @Test func textsMeanWhatTheySay() throws {
    for (text, expected) in [
      ("0", 0.0), ("7", 7), ("P", 3), ("2*P", 6), ("2*I*J^2", 490), (" J ^ 3 / period + 1 ", 172.5),
      ("N*I + N*J + 2", 206), ("P/period/period", 0.75), ("R+K+C", 43), ("3*P*2", 18), ("P^1", 3),
    ] {
      #expect(try value(#require(parse(text), "\(text)")) == expected, "\(text)")
    }
  }

  /// What describes a formula is read as the same one.
  @Test func periodsAreHyperparameters() throws {
    let formula = try #require(parse("J^3/period"))
    #expect(formula == .J * .J * .J / .period("period", "period"))
    #expect(Cost(flops: formula, elements: 0).periods == ["period"])
  }

  @Test func otherTextsAreNone() {
    for text in [
      "", " ", "+", "P+", "+P", "P P", "P**2", "P^", "P^0", "P^2^2", "P^10", "^2", "Q", "p", "periods", "-P",
      "2.5*P", "P-1", "P/0", "1e3", "(P)", "P/", "/P", "P*", "99999999999999999999",
    ] { #expect(parse(text) == nil, "'\(text)'") }
  }
}
