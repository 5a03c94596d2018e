import FisherLinearAlgebra
import Synchronization

/// Plain loops that count what the routines take by their textbook formulas, whatever the element type.
///
/// A routine without an entry here runs uncounted; an optimizer that calls one gets it here.
struct CountingBackend: Backend {
  private static let lock = Mutex(())
  private let loops = ReferenceBackend()

  var name: String { "counting" }

  /// Runs what counts alone: the count is one number of the process.
  static func exclusively<R>(_ body: () throws -> R) rethrows -> R {
    try lock.withLock { _ in try body() }
  }

  /// `body` counts as `flops`, whatever it does.
  private func count<R>(_ flops: Int, _ body: () -> R) -> R {
    let before = Counted.operations
    defer { Counted.operations = before + flops }
    return body()
  }

  func gemm<S: KernelScalar>(_ call: Gemm<S>, threads: Int) {
    count(2 * call.a.rows * call.b.rows * call.b.columns) { loops.gemm(call, threads: 1) }
  }

  func gemm<S: KernelScalar>(group: UnsafeBufferPointer<Gemm<S>>, threads: Int) {
    for call in group { gemm(call, threads: 1) }
  }

  func gemm<S: KernelScalar>(
    first: Gemm<S>, count: Int, batchStrides: (a: Int, b: Int, c: Int), threads: Int
  ) {
    self.count(2 * count * first.a.rows * first.b.rows * first.b.columns) {
      loops.gemm(first: first, count: count, batchStrides: batchStrides, threads: 1)
    }
  }

  func syrk<S: KernelScalar>(_ call: Syrk<S>, threads: Int) {
    count(call.a.rows * (call.a.rows + 1) * call.a.columns) { loops.syrk(call, threads: 1) }
  }

  func symm<S: KernelScalar>(_ call: Symm<S>, threads: Int) {
    count(2 * call.a.rows * call.a.rows * call.b.columns) { loops.symm(call, threads: 1) }
  }

  func gemv<S: KernelScalar>(_ call: Gemv<S>, threads: Int) {
    count(2 * call.a.rows * call.a.columns) { loops.gemv(call, threads: 1) }
  }

  func ger<S: KernelScalar>(
    alpha: S, x: VectorPointer<S>, y: VectorPointer<S>, a: MutableMatrixPointer<S>, threads: Int
  ) {
    count(2 * a.rows * a.columns) { loops.ger(alpha: alpha, x: x, y: y, a: a, threads: 1) }
  }

  func dot<S: KernelScalar>(_ x: VectorPointer<S>, _ y: VectorPointer<S>) -> S {
    count(2 * x.count) { loops.dot(x, y) }
  }

  func axpy<S: KernelScalar>(alpha: S, x: VectorPointer<S>, y: MutableVectorPointer<S>) {
    count(2 * x.count) { loops.axpy(alpha: alpha, x: x, y: y) }
  }

  func scal<S: KernelScalar>(alpha: S, x: MutableVectorPointer<S>) {
    count(x.count) { loops.scal(alpha: alpha, x: x) }
  }

  func nrm2<S: KernelScalar>(_ x: VectorPointer<S>) -> S { count(2 * x.count) { loops.nrm2(x) } }

  func asum<S: KernelScalar>(_ x: VectorPointer<S>) -> S { count(x.count) { loops.asum(x) } }

  func iamax<S: KernelScalar>(_ x: VectorPointer<S>) -> Int? { count(0) { loops.iamax(x) } }

  func copy<S: KernelScalar>(_ source: MatrixPointer<S>, to target: MutableMatrixPointer<S>) {
    count(0) { loops.copy(source, to: target) }
  }

  func trsm<S: KernelScalar>(_ call: Trsm<S>, threads: Int) {
    count(call.a.rows * call.b.rows * call.b.columns) { loops.trsm(call, threads: 1) }
  }

  func trmm<S: KernelScalar>(_ call: Trmm<S>, threads: Int) {
    count(call.a.rows * call.b.rows * call.b.columns) { loops.trmm(call, threads: 1) }
  }

  func potrf<S: KernelScalar>(_ call: Potrf<S>, threads: Int) -> PivotOutcome {
    count(cube(call.source.rows) / 3) { loops.potrf(call, threads: 1) }
  }

  func potri<S: KernelScalar>(_ call: Potri<S>, threads: Int) {
    count(2 * cube(call.factor.rows) / 3) { loops.potri(call, threads: 1) }
  }

  func invertPositiveDefinite<S: KernelScalar>(
    _ call: Potrf<S>, mirror: Bool, threads: Int
  ) -> PivotOutcome {
    count(cube(call.source.rows)) { loops.invertPositiveDefinite(call, mirror: mirror, threads: 1) }
  }

  func invertPositiveDefinite<S: KernelScalar>(
    _ calls: UnsafeBufferPointer<BatchedMatrices<S>>, threads: Int
  ) {
    count(calls.reduce(0) { $0 + $1.count * cube($1.source.rows) }) {
      loops.invertPositiveDefinite(calls, threads: 1)
    }
  }

  func factorCholesky<S: KernelScalar>(_ calls: UnsafeBufferPointer<BatchedMatrices<S>>, threads: Int) {
    count(calls.reduce(0) { $0 + $1.count * cube($1.source.rows) / 3 }) {
      loops.factorCholesky(calls, threads: 1)
    }
  }

  func addOuterProducts<S: KernelScalar>(_ call: BatchedOuterProducts<S>, threads: Int) {
    let (n, count) = (call.source.rows, call.samples.rows)
    self.count(count * (call.sampleCount * (n + n * (n + 1)) + (call.beta == 0 ? 0 : n * (n + 1) / 2))) {
      loops.addOuterProducts(call, threads: 1)
    }
  }

  func multiply<S: KernelScalar>(_ call: BatchedProducts<S>, threads: Int) {
    let n = call.matrices.rows
    count(2 * n * n * call.x.rows) { loops.multiply(call, threads: 1) }
  }

  func copy<S: KernelScalar>(
    _ source: BatchOperand<S>, to target: BatchOperand<S>, count: Int, threads: Int
  ) { self.count(0) { loops.copy(source, to: target, count: count, threads: 1) } }

  func symmetricEigen<S: KernelScalar>(_ call: SymmetricEigenCall<S>, threads: Int) -> EigenStatus {
    count(14 * cube(call.a.rows) / 3) { loops.symmetricEigen(call, threads: 1) }
  }

  func factorQR<S: KernelScalar>(_ factors: QRFactors<S>, threads: Int) {
    let (m, n) = (factors.a.rows, factors.a.columns)
    count(2 * n * n * m - 2 * cube(n) / 3) { loops.factorQR(factors, threads: 1) }
  }

  func applyQ<S: KernelScalar>(
    _ factors: QRFactors<S>, transposed: Bool, to c: MutableMatrixPointer<S>, isIdentity: Bool, threads: Int
  ) {
    let (m, n) = (factors.a.rows, min(factors.a.rows, factors.a.columns))
    // Of the identity the columns that are not reached yet stay as they are.
    let flops = isIdentity ? 2 * n * n * m - 2 * cube(n) / 3 : 2 * c.columns * n * (2 * m - n)
    count(flops) {
      loops.applyQ(factors, transposed: transposed, to: c, isIdentity: isIdentity, threads: 1)
    }
  }

  private func cube(_ n: Int) -> Int { n * n * n }
}
