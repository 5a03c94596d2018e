import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// NaN and infinity reach exactly the elements that the definition says, as what it says: a NaN or infinity in any
/// place of A, B or C, with α, β = 0 or not, with and without zeros beside it (0·∞ = NaN), with any activation.
struct SpecialValues: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let shapes = [(1, 1, 1), (3, 5, 2), (7, 9, 33), (17, 33, 8), (40, 35, 300), (5, 4, 0)]
    let factors: [(S, S)] = [(1, 0), (0, 1), (1, 1), (0, 0), (-0.7, 0.7)]
    for (shape, seed) in zip(shapes, Seed.cases(shapes.count)) {
      for value in [S.nan, .infinity, -.infinity] {
        for place in SpecialCase<S>.Place.allCases {
          for (alpha, beta) in factors where !found.isFull {
            let test = SpecialCase(
              seed: seed, shape: shape, value: value, place: place, alpha: alpha, beta: beta)
            found += test.violations(of: backend)
          }
        }
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func specialValues(_ subject: Subject) { expect(subject) }
}

/// One product whose finite operands are small integers, many of them zero, with one special value in it.
private struct SpecialCase<S: KernelScalar>: CustomStringConvertible {
  enum Place: CaseIterable { case a, b, c, bias }

  let seed: UInt64
  let shape: (m: Int, n: Int, k: Int)
  let value: S
  let place: Place
  let (alpha, beta): (S, S)

  init(seed: UInt64, shape: (Int, Int, Int), value: S, place: Place, alpha: S, beta: S) {
    (self.seed, self.shape, self.value, self.place) = (seed, shape, value, place)
    (self.alpha, self.beta) = (alpha, beta)
  }

  var description: String {
    "FISHER_SEED=\(seed) \(S.self) \(shape) \(value) in \(place), α \(alpha), β \(beta)"
  }

  func violations(of backend: any Backend) -> Violations {
    var found = Violations()
    var generator = Generator(seed: seed)
    let (m, n, k) = shape
    let a = GuardedMatrix<S>(m, k, generator.pick(Layout.outputs)).filled(.integers, &generator)
    let b = GuardedMatrix<S>(k, n, generator.pick(Layout.outputs)).filled(.integers, &generator)
    let old = GuardedMatrix<S>(m, n).filled(.integers, &generator)
    let bias = GuardedMatrix<S>(n, 1).filled(.integers, &generator)
    for _ in 0..<4 {
      let target = [Place.a: a, .b: b, .c: old, .bias: bias][place]!
      guard target.rows > 0, target.columns > 0 else { break }
      let (i, j) = (generator.pick(0..<target.rows), generator.pick(0..<target.columns))
      let finite = target.pointer[i, j]
      target.pointer[i, j] = value
      for activation in [Activation<S>.identity, .relu, .leakyRelu(slope: 0.5)] {
        let c = GuardedMatrix<S>(m, n, generator.pick(Layout.outputs)).filled { i, j in old.pointer[i, j] }
        backend.gemm(
          Gemm(
            alpha: alpha, a: a.readOnly, b: b.readOnly, beta: beta, c: c.pointer,
            epilogue: Epilogue(bias: .row(bias.vector.readOnly), activation: activation)), threads: 1)
        for row in 0..<m {
          for column in 0..<n {
            let sum = definition(a, b, row, column, old.pointer[row, column], bias.pointer[column, 0])
            let expected = apply(activation, sum)
            let got = c.pointer[row, column]
            found.expect(
              Kind(got) == Kind(expected),
              "\(backend.name): C[\(row), \(column)] = \(got), not \(expected); "
                + "\(self) at (\(i), \(j)), \(activation)")
          }
        }
        found.expect(c.firstDamage() == nil, "\(backend.name): writes into the gaps of C; \(self)")
      }
      target.pointer[i, j] = finite
    }
    return found
  }

  private func definition(
    _ a: GuardedMatrix<S>, _ b: GuardedMatrix<S>, _ i: Int, _ j: Int, _ old: S, _ bias: S
  ) -> Double {
    var value = 0.0
    if alpha != 0 {
      for p in 0..<shape.k { value += Double(a.pointer[i, p]) * Double(b.pointer[p, j]) }
      value *= Double(alpha)
    }
    if beta != 0 { value += Double(beta) * Double(old) }
    return value + Double(bias)
  }

  private func apply(_ activation: Activation<S>, _ x: Double) -> Double {
    switch activation {
    case .identity: x
    case .relu: x.isNaN ? x : max(x, 0)
    case .leakyRelu(let slope): x > 0 ? x : Double(slope) * x
    }
  }
}

/// What a value is, where its size does not matter.
enum Kind: Equatable {
  case finite, infinite, minusInfinite, nan

  init(_ x: some BinaryFloatingPoint) {
    self = x.isNaN ? .nan : x.isFinite ? .finite : x > 0 ? .infinite : .minusInfinite
  }
}
