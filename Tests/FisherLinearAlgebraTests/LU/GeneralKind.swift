import FisherLinearAlgebra
import FisherTestSupport

/// The kinds of general matrices that LAPACK's testers use.
enum GeneralKind: String, CaseIterable {
  case random
  case diagonal
  case upper
  /// Rows and columns over forty binary orders.
  case graded
  /// The last column is nearly a sum of the others.
  case nearlySingular
  /// Hilbert's matrix, as badly conditioned as can be.
  case hilbert
  /// Near overflow and near underflow.
  case huge, tiny

  func matrix<S: KernelScalar>(_ m: Int, _ n: Int, _: S.Type, _ generator: inout Generator) -> Matrix<S> {
    let largest = Int(S.greatestFiniteMagnitude.exponent)
    var a = Matrix<S>(rows: m, columns: n)
    for i in 0..<m {
      for j in 0..<n {
        let x: S = generator.uniform()
        switch self {
        case .random: a[i, j] = x
        case .diagonal: a[i, j] = i == j ? (x < 0 ? x - 1 : x + 1) : 0
        case .upper: a[i, j] = i < j ? x : i == j ? 2 + x : 0
        case .graded: a[i, j] = scaled(x, -20 * i / max(m, 1) - 20 * j / max(n, 1))
        case .nearlySingular:
          let isLast = j == n - 1 && n > 1
          let sum = isLast ? (0..<j).reduce(S(0)) { $0 + a[i, $1] } / S(n) : 0
          a[i, j] = isLast ? sum + 64 * S(n) * S.ulpOfOne * x : x
        case .hilbert: a[i, j] = 1 / S(i + j + 1)
        case .huge: a[i, j] = scaled(x, largest - 12)
        case .tiny: a[i, j] = scaled(x, 14 - largest)
        }
      }
    }
    return a
  }

  /// The kinds to try with a shape: all of them for the smallest, two in turn, one for the largest.
  static func tried(_ m: Int, seed: UInt64) -> [GeneralKind] {
    if m <= 4 { return allCases }
    let first = Int(seed % 4)
    return m > 200 ? [allCases[first]] : [allCases[first], allCases[first + 4]]
  }

  /// A linear system can be solved to a residual of full accuracy without over- or underflow.
  var isSolvable: Bool { self != .hilbert }

  private func scaled<S: KernelScalar>(_ x: S, _ power: Int) -> S {
    x * S(sign: .plus, exponent: S.Exponent(power), significand: 1)
  }
}

/// The shapes to try: all small squares, some rectangles, and sizes around panels and blocks.
func factorizationShapes(small: Bool) -> [(m: Int, n: Int)] {
  let squares = Array(0...(small ? 32 : 70)) + (small ? [] : [127, 128, 129, 257, 320, 600])
  let rectangles = [
    (1, 5), (5, 1), (3, 17), (17, 3), (16, 40), (40, 16), (31, 33), (33, 31), (70, 20), (20, 70),
  ]
  return squares.map { ($0, $0) } + rectangles + (small ? [] : [(300, 100), (100, 300), (513, 33)])
}
