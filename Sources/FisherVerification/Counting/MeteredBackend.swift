import FisherLinearAlgebra

/// What is measured of a routine.
protocol Meter {
  /// Runs a routine whose textbook formula says so many flops.
  static func measure<R>(_ flops: Int, _ body: () -> R) -> R
}

/// A backend whose routines are measured one by one.
///
/// A routine without an entry here runs unmeasured; an optimizer that calls one gets it here.
struct MeteredBackend<Base: Backend, M: Meter>: Backend {
  let base: Base

  var name: String { "metered " + base.name }

  private func count<R>(_ flops: Int, _ body: () -> R) -> R { M.measure(flops, body) }

  func gemm<S: KernelScalar>(_ call: Gemm<S>, threads: Int) {
    count(2 * call.a.rows * call.b.rows * call.b.columns) { base.gemm(call, threads: 1) }
  }

  func gemm<S: KernelScalar>(group: UnsafeBufferPointer<Gemm<S>>, threads: Int) {
    for call in group { gemm(call, threads: 1) }
  }

  func gemm<S: KernelScalar>(
    first: Gemm<S>, count: Int, batchStrides: (a: Int, b: Int, c: Int), threads: Int
  ) {
    self.count(2 * count * first.a.rows * first.b.rows * first.b.columns) {
      base.gemm(first: first, count: count, batchStrides: batchStrides, threads: 1)
    }
  }

  func syrk<S: KernelScalar>(_ call: Syrk<S>, threads: Int) {
    count(call.a.rows * (call.a.rows + 1) * call.a.columns) { base.syrk(call, threads: 1) }
  }

  func symm<S: KernelScalar>(_ call: Symm<S>, threads: Int) {
    count(2 * call.a.rows * call.a.rows * call.b.columns) { base.symm(call, threads: 1) }
  }

  func gemv<S: KernelScalar>(_ call: Gemv<S>, threads: Int) {
    count(2 * call.a.rows * call.a.columns) { base.gemv(call, threads: 1) }
  }

  func ger<S: KernelScalar>(
    alpha: S, x: VectorPointer<S>, y: VectorPointer<S>, a: MutableMatrixPointer<S>, threads: Int
  ) {
    count(2 * a.rows * a.columns) { base.ger(alpha: alpha, x: x, y: y, a: a, threads: 1) }
  }

  func dot<S: KernelScalar>(_ x: VectorPointer<S>, _ y: VectorPointer<S>) -> S {
    count(2 * x.count) { base.dot(x, y) }
  }

  func axpy<S: KernelScalar>(alpha: S, x: VectorPointer<S>, y: MutableVectorPointer<S>) {
    count(2 * x.count) { base.axpy(alpha: alpha, x: x, y: y) }
  }

  func scal<S: KernelScalar>(alpha: S, x: MutableVectorPointer<S>) {
    count(x.count) { base.scal(alpha: alpha, x: x) }
  }

  func nrm2<S: KernelScalar>(_ x: VectorPointer<S>) -> S { count(2 * x.count) { base.nrm2(x) } }

  func asum<S: KernelScalar>(_ x: VectorPointer<S>) -> S { count(x.count) { base.asum(x) } }

  func iamax<S: KernelScalar>(_ x: VectorPointer<S>) -> Int? { count(0) { base.iamax(x) } }

  func copy<S: KernelScalar>(_ source: MatrixPointer<S>, to target: MutableMatrixPointer<S>) {
    count(0) { base.copy(source, to: target) }
  }

  func trsm<S: KernelScalar>(_ call: Trsm<S>, threads: Int) {
    count(call.a.rows * call.b.rows * call.b.columns) { base.trsm(call, threads: 1) }
  }

  func trmm<S: KernelScalar>(_ call: Trmm<S>, threads: Int) {
    count(call.a.rows * call.b.rows * call.b.columns) { base.trmm(call, threads: 1) }
  }

  func potrf<S: KernelScalar>(_ call: Potrf<S>, threads: Int) -> PivotOutcome {
    count(cube(call.source.rows) / 3) { base.potrf(call, threads: 1) }
  }

  func potri<S: KernelScalar>(_ call: Potri<S>, threads: Int) {
    count(2 * cube(call.factor.rows) / 3) { base.potri(call, threads: 1) }
  }

  func invertPositiveDefinite<S: KernelScalar>(
    _ call: Potrf<S>, mirror: Bool, threads: Int
  ) -> PivotOutcome {
    count(cube(call.source.rows)) { base.invertPositiveDefinite(call, mirror: mirror, threads: 1) }
  }

  func invertPositiveDefinite<S: KernelScalar>(
    _ calls: UnsafeBufferPointer<BatchedMatrices<S>>, threads: Int
  ) {
    count(calls.reduce(0) { $0 + $1.count * cube($1.source.rows) }) {
      base.invertPositiveDefinite(calls, threads: 1)
    }
  }

  func factorCholesky<S: KernelScalar>(_ calls: UnsafeBufferPointer<BatchedMatrices<S>>, threads: Int) {
    count(calls.reduce(0) { $0 + $1.count * cube($1.source.rows) / 3 }) {
      base.factorCholesky(calls, threads: 1)
    }
  }

  func addOuterProducts<S: KernelScalar>(_ call: BatchedOuterProducts<S>, threads: Int) {
    let (n, count) = (call.source.rows, call.samples.rows)
    self.count(count * (call.sampleCount * (n + n * (n + 1)) + (call.beta == 0 ? 0 : n * (n + 1) / 2))) {
      base.addOuterProducts(call, threads: 1)
    }
  }

  func multiply<S: KernelScalar>(_ call: BatchedProducts<S>, threads: Int) {
    let n = call.matrices.rows
    count(2 * n * n * call.x.rows) { base.multiply(call, threads: 1) }
  }

  func copy<S: KernelScalar>(
    _ source: BatchOperand<S>, to target: BatchOperand<S>, count: Int, threads: Int
  ) { self.count(0) { base.copy(source, to: target, count: count, threads: 1) } }

  func symmetricEigen<S: KernelScalar>(_ call: SymmetricEigenCall<S>, threads: Int) -> EigenStatus {
    count(14 * cube(call.a.rows) / 3) { base.symmetricEigen(call, threads: 1) }
  }

  func factorQR<S: KernelScalar>(_ factors: QRFactors<S>, threads: Int) {
    let (m, n) = (factors.a.rows, factors.a.columns)
    count(2 * n * n * m - 2 * cube(n) / 3) { base.factorQR(factors, threads: 1) }
  }

  func applyQ<S: KernelScalar>(
    _ factors: QRFactors<S>, transposed: Bool, to c: MutableMatrixPointer<S>, isIdentity: Bool, threads: Int
  ) {
    let (m, n) = (factors.a.rows, min(factors.a.rows, factors.a.columns))
    // Of the identity the columns that are not reached yet stay as they are.
    let flops = isIdentity ? 2 * n * n * m - 2 * cube(n) / 3 : 2 * c.columns * n * (2 * m - n)
    count(flops) {
      base.applyQ(factors, transposed: transposed, to: c, isIdentity: isIdentity, threads: 1)
    }
  }

  private func cube(_ n: Int) -> Int { n * n * n }
}
