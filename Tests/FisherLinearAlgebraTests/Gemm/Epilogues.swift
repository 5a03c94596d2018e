import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// Bias and activation against the definition, applied once and after the last k block, in small and big products.
struct Epilogues: SharedClause {
  func violations<S: KernelScalar>(of backends: [any Backend], _: S.Type) -> Violations {
    var found = Violations()
    for (m, n) in [(1, 1), (2, 5), (4, 3), (3, 17), (17, 3), (33, 40), (1, 65), (70, 2)] {
      for k in [0, 1, 300, 1000, 4096] {
        for bias in GemmCase<S>.Bias.allCases {
          for activation in [Activation<S>.identity, .relu, .leakyRelu(slope: 0.1)] {
            for seed in Seed.cases(2) where !found.isFull {
              var test = GemmCase<S>(seed: seed &+ UInt64(k), m, n, k)
              test.bias = bias
              test.activation = activation
              found += test.violations(of: backends)
            }
          }
        }
      }
    }
    return found
  }

  @Test(arguments: ScalarKind.allCases)
  static func epilogues(_ kind: ScalarKind) { expect(kind) }
}
