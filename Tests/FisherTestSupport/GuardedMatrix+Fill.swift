import FisherLinearAlgebra

/// What a matrix is filled with.
public enum Content: Sendable {
  /// Uniform in [−1, 1).
  case uniform
  /// Integers in −3…3.
  case integers
  /// The sentinel NaN: must not be read.
  case poison
}

extension GuardedMatrix {
  /// Fills the elements in row-major order; returns the matrix.
  @specialized(where S == Float)
  @specialized(where S == Double)
  @discardableResult
  public func filled(_ content: Content, _ generator: inout Generator) -> GuardedMatrix {
    for i in 0..<rows {
      for j in 0..<columns {
        switch content {
        case .uniform: pointer[i, j] = generator.uniform()
        case .integers: pointer[i, j] = generator.integer(in: -3...3)
        case .poison: pointer[i, j] = .sentinel
        }
      }
    }
    return self
  }

  /// Fills the elements with the values of a function; returns the matrix.
  @specialized(where S == Float)
  @specialized(where S == Double)
  @discardableResult
  public func filled(_ value: (Int, Int) -> S) -> GuardedMatrix {
    for i in 0..<rows { for j in 0..<columns { pointer[i, j] = value(i, j) } }
    return self
  }

  /// Multiplies row i by 2^rowPower(i) and column j by 2^columnPower(j), without rounding.
  @specialized(where S == Float)
  @specialized(where S == Double)
  @discardableResult
  public func scaled(rows rowPower: (Int) -> Int, columns columnPower: (Int) -> Int) -> GuardedMatrix {
    for i in 0..<rows {
      for j in 0..<columns {
        pointer[i, j] *= S(sign: .plus, exponent: S.Exponent(rowPower(i) + columnPower(j)), significand: 1)
      }
    }
    return self
  }
}
