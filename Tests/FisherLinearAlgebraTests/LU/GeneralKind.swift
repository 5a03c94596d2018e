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

  @specialized(where S == Float)
  @specialized(where S == Double)
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

  /// A linear system can be solved to a residual of full accuracy without over- or underflow.
  var isSolvable: Bool { self != .hilbert }

  @inline(__always)
  private func scaled<S: KernelScalar>(_ x: S, _ power: Int) -> S {
    x * S(sign: .plus, exponent: S.Exponent(power), significand: 1)
  }
}

/// A matrix to factorize: its shape, what it is made of, and from which random numbers.
struct GeneralShape {
  let m, n: Int
  let kind: GeneralKind
  let seed: UInt64

  static let rectangles = [
    (1, 5), (5, 1), (3, 17), (17, 3), (16, 40), (40, 16), (31, 33), (33, 31), (70, 20), (20, 70),
  ]
  /// Around panels and blocks.
  static let blocks = [95, 96, 97, 127, 128, 129].map { ($0, $0) }
  static let large =
    [191, 192, 193, 255, 256, 257, 319, 320, 321, 511, 512, 513, 600].map { ($0, $0) }
    + [(300, 100), (100, 300), (513, 33), (520, 700), (641, 512)]

  /// Every square up to 70 and some rectangles with every kind, then the blocks; plain loops have none. The largest take
  /// the kinds in turn: all of them occur in every four shapes.
  static func all(for backend: any Backend) -> [GeneralShape] {
    let isNaive = backend is ReferenceBackend
    let shapes = (0...70).map { ($0, $0) } + rectangles + (isNaive ? [] : blocks + large)
    return zip(shapes, Seed.cases(shapes.count)).enumerated().flatMap { i, shape in
      GeneralKind.allCases.enumerated()
        .filter { shape.0.0 < 130 && shape.0.1 < 130 || ($0.offset + i) % 4 == 0 }
        .map { GeneralShape(m: shape.0.0, n: shape.0.1, kind: $0.element, seed: shape.1) }
    }
  }
}
