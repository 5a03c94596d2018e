import FisherLinearAlgebra
import FisherRuntime
import FisherTestSupport
import Testing

/// After the first calls, operations whose results have a place take no memory for elements on one thread.
struct SteadyState {
  /// The orders around which operations change their ways, and one that is cut into halves.
  @Test(arguments: [1, 5, 16, 33, 100, 300, 600])
  func factorizationsTakeNoMemory(n: Int) throws {
    try check(factorizations(Float.self, n))
    try check(factorizations(Double.self, n))
  }

  @Test(arguments: [1, 5, 16, 33, 100, 300])
  func productsTakeNoMemory(n: Int) throws {
    try check(products(Float.self, n))
    try check(products(Double.self, n))
  }

  @Test(arguments: [1, 2, 3, 9, 16, 32, 65])
  func batchesTakeNoMemory(n: Int) throws {
    try check(batches(Float.self, n))
    try check(batches(Double.self, n))
  }

  /// The count that these tests rely on sees a result that has no place yet.
  @Test func newResultsAreCounted() {
    let a = definite(Double.self, 9)
    let before = AllocationCount.current
    _ = LU(a, threads: 1)
    #expect(AllocationCount.current == before + 1)
  }

  /// Values that were used before give the bits of new ones.
  @Test(arguments: [1, 7, 40])
  func usedValuesGiveTheSameBits(n: Int) throws {
    let (first, a) = (
      definite(Double.self, n),
      Matrix<Double>(rows: n, columns: n) { i, j in i == j ? 3 : 1 / Double(2 + abs(i - j)) / Double(n) }
    )
    var (lu, qr, eigen) = (LU(first), QR(first), try SymmetricEigen(first))
    var root = try InverseRoot(first, p: 3)
    lu.refactorize(a)
    qr.refactorize(a)
    try eigen.refactorize(a)
    try root.refactorize(a, p: 3)
    #expect(lu.factors == LU(a).factors && lu.pivots == LU(a).pivots && lu.norm == LU(a).norm)
    #expect(qr.factors == QR(a).factors && qr.tau == QR(a).tau)
    let (newEigen, newRoot) = (try SymmetricEigen(a), try InverseRoot(a, p: 3))
    #expect(eigen.values == newEigen.values && eigen.vectors == newEigen.vectors)
    #expect(root.matrix == newRoot.matrix && root.residual == newRoot.residual)
    var (b, x) = (first, first)
    try lu.solve(&b, transposed: true)
    try lu.inverse(into: &x)
    let (solution, inverse) = (try lu.solving(first, transposed: true), try lu.inverse())
    #expect(b == solution && x == inverse)
  }

  private typealias Step = (name: String, call: () throws -> Void)

  /// Runs each step often enough for scratch to grow, and once more.
  private func check(_ steps: [Step]) throws {
    for step in steps {
      // The first call finds out how much scratch there must be, the second one takes it.
      for _ in 0..<2 { try step.call() }
      let before = AllocationCount.current
      try step.call()
      #expect(AllocationCount.current == before, "\(step.name)")
    }
  }

  private func definite<S: KernelScalar>(_: S.Type, _ n: Int) -> Matrix<S> {
    Matrix(rows: n, columns: n) { i, j in i == j ? S(n) : 1 / S(1 + abs(i - j)) }
  }

  private func factorizations<S: KernelScalar>(_: S.Type, _ n: Int) throws -> [Step] {
    let a = definite(S.self, n)
    var factor = try Cholesky(a, threads: 1)
    var (b, x, inverted, updated) = (a, a, a, factor)
    var (lu, qr, eigen) = (LU(a, threads: 1), QR(a, threads: 1), try SymmetricEigen(a, threads: 1))
    var root = try InverseRoot(a, p: 4, threads: 1)
    let column = Matrix<S>(rows: n, columns: 1) { i, _ in 1 / S(i + 10) }
    let place = "\(S.self) n \(n)"
    var steps: [Step] = [
      ("Cholesky.refactorize \(place)", { try factor.refactorize(a, damping: .relative(0.5), threads: 1) }),
      ("Cholesky.solve \(place)", { factor.solve(&b, threads: 1) }),
      ("Cholesky.inverse \(place)", { factor.inverse(into: &x, threads: 1) }),
      ("Cholesky.rankUpdate \(place)", { updated.rankUpdate(column) }),
      ("Cholesky.rankDowndate \(place)", { try updated.rankDowndate(column) }),
      (
        "invertPositiveDefinite \(place)",
        { try inverted.invertPositiveDefinite(damping: .absolute(1), threads: 1) }
      ),
      ("LU.refactorize \(place)", { lu.refactorize(a, threads: 1) }),
      ("LU.solve \(place)", { try lu.solve(&b, threads: 1) }),
      ("LU.inverse \(place)", { try lu.inverse(into: &x, threads: 1) }),
      ("LU.reciprocalCondition \(place)", { _ = lu.reciprocalCondition(threads: 1) }),
      ("QR.refactorize \(place)", { qr.refactorize(a, threads: 1) }),
    ]
    if n <= 300 {
      steps.append(("SymmetricEigen.refactorize \(place)", { try eigen.refactorize(a, threads: 1) }))
    }
    if n <= 100 {
      steps += [
        ("InverseRoot.refactorize \(place)", { try root.refactorize(a, p: 4, threads: 1) }),
        (
          "InverseRoot.refactorize by Newton \(place)",
          { try root.refactorize(a, p: 3, by: .coupledNewton(), threads: 1) }
        ),
      ]
    }
    return steps
  }

  private func products<S: KernelScalar>(_: S.Type, _ n: Int) -> [Step] {
    let a = definite(S.self, n)
    let gradient = Matrix<S>(rows: n, columns: n + 7) { i, j in S((i * 7 + j * 5) % 13) - 6 }
    let right = definite(S.self, n + 7)
    var (b, c, square) = (gradient, gradient, a)
    let basis = KroneckerBasis(left: a, right: right)
    let place = "\(S.self) n \(n)"
    var steps: [Step] = [
      ("gemm \(place)", { gemm(a, gradient, into: &c, threads: 1) }),
      ("syrk \(place)", { syrk(gradient, into: &square, mirror: true, threads: 1) }),
      (
        "explicit Kronecker \(place)",
        { applyKronecker(left: .explicit(a), gradient, right: .explicit(right), into: &c, threads: 1) }
      ),
      (
        "factored Kronecker \(place)",
        { applyKronecker(left: .cholesky(a), gradient, right: .cholesky(right), into: &c, threads: 1) }
      ),
      (
        "quotient \(place)",
        { basis.divide(gradient, by: .elements(gradient, damping: 20), into: &c, threads: 1) }
      ),
    ]
    for triangle in Triangle.allCases {
      steps += [
        ("trsm left \(triangle) \(place)", { trsm(a, triangle: triangle, into: &b, threads: 1) }),
        ("trmm left \(triangle) \(place)", { trmm(a, triangle: triangle, into: &b, threads: 1) }),
        (
          "trsm right \(triangle) \(place)",
          { trsm(right, triangle: triangle, side: .right, into: &b, threads: 1) }
        ),
        (
          "trmm right \(triangle) \(place)",
          { trmm(right, triangle: triangle, side: .right, into: &b, threads: 1) }
        ),
      ]
    }
    return steps
  }

  private func batches<S: KernelScalar>(_: S.Type, _ n: Int) -> [Step] {
    let (count, a) = (37, definite(S.self, n))
    var stack = MatrixStack<S>(count: count, rows: n, columns: n)
    for i in 0..<count { stack[i] = a }
    var (inverses, several) = (stack, [stack, stack])
    var factors = BatchedCholesky(stack)
    var right = MatrixStack<S>(count: count, rows: n, columns: 2)
    let lanes = InterleavedBatch<S>(count: count, order: n, storage: .symmetric)
    var (inverted, average) = (lanes, lanes)
    let vectors = Matrix<S>(rows: count, columns: n) { i, j in S(i - j) / S(count + n) }
    var products = vectors
    let place = "\(S.self) n \(n)"
    return [
      ("factors \(place)", { factors.refactorize(stack, damping: .absolute(1), threads: 1) }),
      ("solutions by factors \(place)", { factors.solve(&right, threads: 1) }),
      ("inverses \(place)", { inverses.invertPositiveDefinite(damping: .absolute(1), threads: 1) }),
      ("general inverses \(place)", { inverses.invert(damping: .absolute(1), threads: 1) }),
      (
        "inverses of several stacks \(place)",
        { MatrixStack.invertPositiveDefinite(&several, damping: .absolute(1), threads: 1) }
      ),
      ("assignInverses \(place)", { inverted.assignInverses(of: lanes, damping: .absolute(1), threads: 1) }),
      (
        "addOuterProducts \(place)",
        { average.addOuterProducts(of: vectors, alpha: 0.1, beta: 0.9, threads: 1) }
      ),
      ("multiply \(place)", { average.multiply(vectors, into: &products, threads: 1) }),
    ]
  }
}
