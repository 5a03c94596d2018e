import FisherLinearAlgebra
import FisherRuntime

/// A sum of products of sizes: `2·I·J² + J³/T₂`.
public struct Formula: Sendable, Equatable {
  /// A size that formulas speak of, with the name of the hyper-parameter that says it, if one does.
  package struct Symbol: Sendable, Hashable {
    package let text: String
    var setting: String?
  }

  struct Term: Sendable, Equatable {
    var factor: Double
    /// In the order in which they are written; exponents may be negative.
    var powers: [(symbol: Symbol, exponent: Int)]

    static func == (a: Term, b: Term) -> Bool {
      a.factor == b.factor && a.powers.elementsEqual(b.powers, by: ==)
    }
  }

  let terms: [Term]

  init(_ terms: [Term]) { self.terms = terms }

  private init(_ text: String, setting: String? = nil) {
    self.init([Term(factor: 1, powers: [(Symbol(text: text, setting: setting), 1)])])
  }

  /// The elements of a parameter, or of all parameters of a layer.
  public static let P = Formula("P")
  /// The outputs of a layer.
  public static let I = Formula("I")
  /// The inputs of a layer, the bias among them.
  public static let J = Formula("J")
  /// The shorter side of a matrix.
  public static let R = Formula("R")
  /// The taps of a kernel.
  public static let K = Formula("K")
  /// The samples of the batch.
  public static let N = Formula("N")
  /// The columns of a square root of the loss's curvature.
  public static let C = Formula("C")

  /// A number of steps that a hyper-parameter says.
  public static func period(_ text: String, _ setting: String) -> Formula { Formula(text, setting: setting) }

  /// The value for given sizes.
  package func value(_ size: (Symbol) -> Double) -> Double {
    terms.reduce(0) { sum, term in
      sum
        + term.powers.reduce(term.factor) { product, power in
          let factor = size(power.symbol).raised(to: abs(power.exponent))
          return power.exponent < 0 ? product / factor : product * factor
        }
    }
  }
}

extension Formula: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: Int) {
    self.init(value == 0 ? [] : [Term(factor: Double(value), powers: [])])
  }

  public static func + (a: Formula, b: Formula) -> Formula { Formula(a.terms + b.terms) }

  public static func * (a: Formula, b: Formula) -> Formula {
    Formula(a.terms.flatMap { a in b.terms.map { Self.product(a, $0, 1) } })
  }

  /// - Precondition: the divisor is a single product.
  public static func / (a: Formula, b: Formula) -> Formula {
    require(b.terms.count == 1, "Formula: cannot divide by \(b)")
    return Formula(a.terms.map { product($0, b.terms[0], -1) })
  }

  private static func product(_ a: Term, _ b: Term, _ sign: Int) -> Term {
    var product = a
    product.factor = sign > 0 ? a.factor * b.factor : a.factor / b.factor
    for power in b.powers {
      if let place = product.powers.firstIndex(where: { $0.symbol == power.symbol }) {
        product.powers[place].exponent += sign * power.exponent
      } else {
        product.powers.append((power.symbol, sign * power.exponent))
      }
    }
    return product
  }
}

extension Formula: CustomStringConvertible {
  /// `2·I·J² + J³/T₂`
  public var description: String {
    terms.isEmpty ? "0" : terms.map(Self.text).joined(separator: " + ")
  }

  private static func text(_ term: Term) -> String {
    func power(_ symbol: Symbol, _ exponent: Int) -> String {
      symbol.text + (exponent == 1 ? "" : exponent == 2 ? "²" : exponent == 3 ? "³" : "^\(exponent)")
    }
    var above = term.powers.filter { $0.exponent > 0 }.map { power($0.symbol, $0.exponent) }
    var below = term.powers.filter { $0.exponent < 0 }.map { power($0.symbol, -$0.exponent) }
    let (factor, reciprocal) = (term.factor, 1 / term.factor)
    if factor != 1 || above.isEmpty {
      if factor == factor.rounded() {
        above.insert("\(Int(factor))", at: 0)
      } else if abs(reciprocal - reciprocal.rounded()) < 1e-9 {
        below.insert("\(Int(reciprocal.rounded()))", at: 0)
      } else {
        above.insert("\(factor)", at: 0)
      }
    }
    return ([above.isEmpty ? "1" : above.joined(separator: "·")] + below).joined(separator: "/")
  }
}
