import FisherLinearAlgebra
import FisherRuntime
import FisherTestSupport
import Testing

/// After the first calls, operations whose results have a place take no memory for elements on one thread.
struct SteadyState {
  /// The orders around which operations change their ways, and one that is cut into halves.
  @Test(arguments: [1, 5, 16, 33, 100, 300, 600])
  func factorizationsTakeNoMemory(n: Int) {
    check(factorizations(Float.self, n))
    check(factorizations(Double.self, n))
  }

  @Test(arguments: [1, 5, 16, 33, 100, 300])
  func productsTakeNoMemory(n: Int) {
    check(products(Float.self, n))
    check(products(Double.self, n))
  }

  @Test(arguments: [1, 2, 3, 9, 16, 32, 65])
  func batchesTakeNoMemory(n: Int) {
    check(batches(Float.self, n))
    check(batches(Double.self, n))
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
  func usedValuesGiveTheSameBits(n: Int) {
    let (first, a) = (
      definite(Double.self, n),
      Matrix<Double>(rows: n, columns: n) { i, j in i == j ? 3 : 1 / Double(2 + abs(i - j)) / Double(n) }
    )
    var (lu, qr, eigen) = (LU(first), QR(first), SymmetricEigen(first))
    var root = InverseRoot(first, p: 3)
    lu.refactorize(a)
    qr.refactorize(a)
    eigen.update(a)
    root.update(a, p: 3)
    #expect(lu.factors == LU(a).factors && lu.pivots == LU(a).pivots && lu.norm == LU(a).norm)
    #expect(qr.factors == QR(a).factors && qr.tau == QR(a).tau)
    #expect(eigen.values == SymmetricEigen(a).values && eigen.vectors == SymmetricEigen(a).vectors)
    #expect(root.matrix == InverseRoot(a, p: 3).matrix && root.residual == InverseRoot(a, p: 3).residual)
    var (b, x) = (first, first)
    lu.solve(inPlace: &b, transposed: true)
    lu.inverse(into: &x)
    #expect(b == lu.solve(first, transposed: true) && x == lu.inverse())
  }

  private typealias Step = (name: String, call: () -> Void)

  /// Runs each step often enough for scratch to grow, and once more.
  private func check(_ steps: [Step]) {
    for step in steps {
      // The first call finds out how much scratch there must be, the second one takes it.
      for _ in 0..<2 { step.call() }
      let before = AllocationCount.current
      step.call()
      #expect(AllocationCount.current == before, "\(step.name)")
    }
  }

  private func definite<S: KernelScalar>(_: S.Type, _ n: Int) -> Matrix<S> {
    Matrix(rows: n, columns: n) { i, j in i == j ? S(n) : 1 / S(1 + abs(i - j)) }
  }

  private func factorizations<S: KernelScalar>(_: S.Type, _ n: Int) -> [Step] {
    let a = definite(S.self, n)
    guard case .success(var factor) = Cholesky.factorize(a, threads: 1) else { return [] }
    var (b, x, inverted, updated) = (a, a, a, factor)
    var (lu, qr, eigen) = (LU(a, threads: 1), QR(a, threads: 1), SymmetricEigen(a, threads: 1))
    var root = InverseRoot(a, p: 4, threads: 1)
    let column = Matrix<S>(rows: n, columns: 1) { i, _ in 1 / S(i + 10) }
    let place = "\(S.self) n \(n)"
    var steps: [Step] = [
      ("Cholesky.refactorize \(place)", { factor.refactorize(a, damping: .relative(0.5), threads: 1) }),
      ("Cholesky.solve \(place)", { factor.solve(&b, threads: 1) }),
      ("Cholesky.inverse \(place)", { factor.inverse(into: &x, threads: 1) }),
      ("Cholesky.update \(place)", { updated.update(column) }),
      ("Cholesky.downdate \(place)", { _ = updated.downdate(column) }),
      (
        "invertPositiveDefinite \(place)",
        { _ = inverted.invertPositiveDefinite(damping: .absolute(1), threads: 1) }
      ),
      ("LU.refactorize \(place)", { lu.refactorize(a, threads: 1) }),
      ("LU.solve \(place)", { lu.solve(inPlace: &b, threads: 1) }),
      ("LU.inverse \(place)", { lu.inverse(into: &x, threads: 1) }),
      ("LU.reciprocalCondition \(place)", { _ = lu.reciprocalCondition(threads: 1) }),
      ("QR.refactorize \(place)", { qr.refactorize(a, threads: 1) }),
    ]
    if n <= 300 { steps.append(("SymmetricEigen.update \(place)", { eigen.update(a, threads: 1) })) }
    if n <= 100 {
      steps += [
        ("InverseRoot.update \(place)", { root.update(a, p: 4, threads: 1) }),
        ("InverseRoot.update by Newton \(place)", { root.update(a, p: 3, by: .coupledNewton(), threads: 1) }),
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
    var packed = PackedStack<S>(count: count, order: n)
    for i in 0..<count { (stack[i], packed[i]) = (a, a) }
    var (factors, inverses, several) = (stack, stack, [stack, stack])
    var right = MatrixStack<S>(count: count, rows: n, columns: 2)
    let lanes = InterleavedBatch<S>(count: count, order: n, storage: .symmetric)
    var (inverted, average) = (lanes, lanes)
    let vectors = Matrix<S>(rows: count, columns: n) { i, j in S(i - j) / S(count + n) }
    var products = vectors
    let place = "\(S.self) n \(n)"
    return [
      ("factorCholesky \(place)", { factors.factorCholesky(damping: .absolute(1), threads: 1) }),
      ("solveCholesky \(place)", { factors.solveCholesky(&right, threads: 1) }),
      ("logDeterminants \(place)", { _ = stack.logDeterminants(threads: 1) }),
      ("inverses \(place)", { inverses.invertPositiveDefinite(damping: .absolute(1), threads: 1) }),
      ("general inverses \(place)", { inverses.invert(damping: .absolute(1), threads: 1) }),
      ("packed inverses \(place)", { packed.invertPositiveDefinite(damping: .absolute(1), threads: 1) }),
      (
        "inverses of several stacks \(place)",
        { invertPositiveDefinite(&several, damping: .absolute(1), threads: 1) }
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
