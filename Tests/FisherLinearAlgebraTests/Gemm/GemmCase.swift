import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates

/// One product with all its circumstances. Its seed determines everything: shape, layouts, data.
struct GemmCase<S: KernelScalar>: CustomStringConvertible {
  enum Bias: CaseIterable { case none, row, column }

  let seed: UInt64
  var (m, n, k): (Int, Int, Int)
  var layouts: (a: Layout, b: Layout, c: Layout)
  var flush: (a: Flush, b: Flush, c: Flush)
  var alpha: S
  var beta: S
  var bias = Bias.none
  var activation = Activation<S>.identity
  var content = Content.uniform
  var threads: Int

  static var factors: [S] { [0, 1, -1, 0.7] }

  /// A case of the given shape with everything else drawn from the seed, without an epilogue.
  init(seed: UInt64, _ m: Int, _ n: Int, _ k: Int) {
    var generator = Generator(seed: seed)
    self.seed = seed
    (self.m, self.n, self.k) = (m, n, k)
    layouts = (generator.pick(Layout.inputs), generator.pick(Layout.inputs), generator.pick(Layout.outputs))
    flush = (generator.pick(Flush.allCases), generator.pick(Flush.allCases), generator.pick(Flush.allCases))
    // α = 0 is one case in eight, so that most cases compute something.
    alpha = generator.pick([0, 1, 1, 1, -1, -1, 0.7, 0.7])
    beta = generator.pick(Self.factors)
    threads = generator.pick([1, 1, 2, 3])
  }

  var description: String {
    "FISHER_SEED=\(seed) \(S.self) \(m)×\(n)×\(k) A \(layouts.a) \(flush.a), B \(layouts.b) \(flush.b), "
      + "C \(layouts.c) \(flush.c), α \(alpha), β \(beta), bias \(bias), \(activation), threads \(threads)"
  }

  /// Runs the case on all backends and checks everything that the contract says about one product.
  func violations(of backends: [any Backend]) -> Violations {
    var found = Violations()
    var oracle: Oracle?
    for backend in backends {
      let operands = GemmOperands(self)
      oracle = oracle ?? operands.oracle
      backend.gemm(operands.call, threads: threads)
      operands.check(backend, &found, oracle)
    }
    return found
  }
}

extension GemmCase {
  /// The case with an epilogue drawn from its seed.
  func withEpilogue() -> GemmCase {
    var (result, generator) = (self, Generator(seed: ~seed))
    result.bias = generator.pick(Bias.allCases)
    result.activation = generator.pick([.identity, .relu, .leakyRelu(slope: 0.1)])
    return result
  }
}
