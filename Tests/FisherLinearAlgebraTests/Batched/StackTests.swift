import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// The public operation on stacks.
struct StackInverseTests {
  @Test func invertsInPlaceAndReportsFailures() {
    var stack = MatrixStack<Double>(count: 3, rows: 2, columns: 2)
    stack[0] = Matrix([[4, 0], [2, 2]])
    stack[1] = Matrix([[1, 0], [3, 1]])
    stack[2] = Matrix([[2, 0], [0, 8]])
    let outcome = stack.invertPositiveDefinite()
    #expect(outcome.failures.map { [$0.matrix, $0.pivot] } == [[1, 1]])
    #expect(stack[0] == Matrix([[0.5, -0.5], [-0.5, 1]]))
    #expect(stack[1] == Matrix([[1, 0], [3, 1]]))
    #expect(stack[2] == Matrix([[0.5, 0], [0, 0.125]]))
  }

  @Test func readsTheTriangleThatIsNamed() {
    var stack = MatrixStack<Float>(count: 1, rows: 2, columns: 2)
    stack[0] = Matrix([[4, 2], [.nan, 2]])
    #expect(stack.invertPositiveDefinite(reading: .upper).isComplete)
    #expect(stack[0] == Matrix([[0.5, -0.5], [-0.5, 1]]))
  }

  /// Whatever the strides, an element is that of the matrix; copies, views and repeated matrices keep theirs.
  @Test func elementsAreThoseOfTheMatrices() {
    var generator = Generator(seed: Seed.first)
    let source = Matrix<Double>(rows: 12, columns: 5) { _, _ in .random(in: -1...1, using: &generator) }
    var stacks = [
      MatrixStack(splitting: source, count: 4), MatrixStack(splitting: source, count: 4).transposed,
      MatrixStack(splitting: source[rows: 0..., columns: 1..<4], count: 3),
      MatrixStack(repeating: source[rows: 2..<4, columns: 1...], count: 3),
    ]
    for k in stacks.indices {
      let old = stacks[k]
      for m in 0..<old.count {
        for i in 0..<old.rows {
          for j in 0..<old.columns {
            #expect(stacks[k][m, i, j] == old[m][i, j])
            stacks[k][m, i, j] = Double(100 * m + 10 * i + j)
          }
        }
      }
      for m in 0..<old.count {
        let written = Matrix<Double>(rows: old.rows, columns: old.columns) { Double(100 * m + 10 * $0 + $1) }
        #expect(stacks[k][m] == written)
        #expect(old[m][0, 0] != stacks[k][m][0, 0], "a copy must keep its elements")
      }
    }
  }

  @Test func emptyStacks() {
    var none = MatrixStack<Float>(count: 0, rows: 3, columns: 3)
    #expect(none.invertPositiveDefinite().isComplete)
    var empty = MatrixStack<Float>(count: 2, rows: 0, columns: 0)
    #expect(empty.invertPositiveDefinite().isComplete)
  }

  @Test func invertsWithoutSymmetry() {
    var stack = MatrixStack<Double>(count: 2, rows: 2, columns: 2)
    stack[0] = Matrix([[0, 2], [4, 0]])
    stack[1] = Matrix([[1, 2], [2, 4]])
    #expect(stack.invert().failures.map { [$0.matrix, $0.pivot] } == [[1, 1]])
    #expect(stack[0] == Matrix([[0, 0.25], [0.5, 0]]))
    #expect(stack[1] == Matrix([[1, 2], [2, 4]]))
    stack[1] = Matrix([[1, 2], [0, 3]])
    #expect(stack.invert(damping: .absolute(1)).isComplete)
    #expect(stack[1] == Matrix([[0.5, -0.25], [0, 0.25]]))
  }

  @Test func factorsSolvesAndHasDeterminants() {
    var stack = MatrixStack<Double>(count: 2, rows: 2, columns: 2)
    stack[0] = Matrix([[4, .nan], [2, 2]])
    stack[1] = Matrix([[1, .nan], [3, 1]])
    var factors = BatchedCholesky(stack)
    #expect((factors.logDeterminants[0] - 1.3862943611198906).magnitude < 1e-15)
    #expect(factors.logDeterminants[1].isNaN)
    #expect(factors.outcome.failures.map { [$0.matrix, $0.pivot] } == [[1, 1]])
    #expect(factors[0] == Matrix([[2, 0], [1, 1]]) && factors[1] == Matrix(identity: 2))
    var right = MatrixStack<Double>(count: 2, rows: 2, columns: 1)
    right[0] = Matrix([[8], [6]])
    stack[1] = Matrix([[1, .nan], [0, 4]])
    right[1] = Matrix([[1], [8]])
    #expect(factors.refactorize(stack).isComplete && factors.outcome.isComplete)
    let solutions = factors.solving(right)
    #expect(solutions[0] == Matrix([[1], [2]]) && solutions[1] == Matrix([[1], [2]]))
    // A failure leaves the former factor.
    stack[0] = Matrix([[-1, 0], [0, 1]])
    #expect(factors.refactorize(stack).failures.map(\.pivot) == [0])
    #expect(factors[0] == Matrix([[2, 0], [1, 1]]))
    factors.solve(&right)
    #expect(right.stacked == solutions.stacked)
  }

  /// Several stacks in one call: the results of one call for each.
  @Test(arguments: [1, 2, 3, 7])
  func stacksOfDifferentOrders(_ threads: Int) {
    var generator = Generator(seed: Seed.first)
    var stacks = [(9, 300), (0, 2), (1, 40), (25, 19), (4, 0), (33, 5)].map { n, count in
      var stack = MatrixStack<Float>(count: count, rows: n, columns: n)
      for i in 0..<count { stack[i] = matrix(n, &generator) }
      return stack
    }
    stacks[3][7][2, 2] = -1
    let before = stacks
    let outcomes = MatrixStack.invertPositiveDefinite(&stacks, damping: .absolute(0.5), threads: threads)
    for (i, old) in before.enumerated() {
      var expected = old
      #expect(expected.invertPositiveDefinite(damping: .absolute(0.5), threads: 1) == outcomes[i])
      for m in 0..<old.count { #expect(stacks[i][m] == expected[m], "stack \(i), matrix \(m)") }
    }
    #expect(outcomes[3].failures.map(\.matrix) == [7])
  }

  private func matrix(_ n: Int, _ generator: inout Generator) -> Matrix<Float> {
    DefiniteKind.random.matrix(n, Float.self, &generator)
  }
}
