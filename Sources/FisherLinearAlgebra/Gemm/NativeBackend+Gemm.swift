import Builtin
import FisherRuntime
public import KernelTemplates

// The entries are thin: generic values in the body of a specialised function would have their metadata looked up
// before the type is known, for some 40 ns a call.

extension NativeBackend {
  // By its address from here on: a specialised entry would copy the call first. Unlike `withUnsafePointer`, the address alone
  // needs no metadata of its type.
  public func gemm<S: KernelScalar>(_ call: Gemm<S>, threads: Int) {
    enter(UnsafePointer<Gemm<S>>(Builtin.addressOfBorrow(call)), threads)
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func syrk<S: KernelScalar>(_ call: Syrk<S>, threads: Int) { multiply(call, threads) }

  @specialized(where S == Float) @specialized(where S == Double) @inline(never)
  private func enter<S: KernelScalar>(_ call: UnsafePointer<Gemm<S>>, _ threads: Int) {
    multiply(call, threads)
  }

  @inline(never)
  private func multiply<S: KernelScalar>(_ call: UnsafePointer<Gemm<S>>, _ threads: Int) {
    let kernels = S._kernels(instructionSet)
    if !call.runIfSmall(kernels) { Product(call.pointee).run(kernels, threads: threads) }
  }

  @inline(never)
  private func multiply<S: KernelScalar>(_ call: Syrk<S>, _ threads: Int) {
    let kernels = S._kernels(instructionSet)
    if call.isSmall { call.runSmall(kernels) } else { Product(call).run(kernels, threads: threads) }
    if call.mirror { mirror(call.c, from: call.triangle) }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func gemv<S: KernelScalar>(_ call: Gemv<S>, threads: Int) {
    let x = MatrixPointer(
      call.x.base, rows: call.x.count, columns: 1, rowStride: call.x.stride, columnStride: 1)
    let y = MutableMatrixPointer(
      call.y.base, rows: call.y.count, columns: 1, rowStride: call.y.stride, columnStride: 1)
    gemm(Gemm(alpha: call.alpha, a: call.a, b: x, beta: call.beta, c: y), threads: threads)
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func ger<S: KernelScalar>(
    alpha: S, x: VectorPointer<S>, y: VectorPointer<S>, a: MutableMatrixPointer<S>, threads: Int
  ) {
    if alpha == 0 { return }
    // Scaling comes first, as LAPACK expects: what α makes small must not overflow in the product.
    y.withScaled(by: alpha) { y in
      let column = MatrixPointer(x.base, rows: x.count, columns: 1, rowStride: x.stride, columnStride: 1)
      let row = MatrixPointer(y.base, rows: 1, columns: y.count, rowStride: 1, columnStride: y.stride)
      gemm(Gemm(alpha: 1, a: column, b: row, beta: 1, c: a), threads: threads)
    }
  }

  /// A is first completed to a full matrix in scratch memory: m² copies for 2·m²·n flops.
  @specialized(where S == Float) @specialized(where S == Double)
  public func symm<S: KernelScalar>(_ call: Symm<S>, threads: Int) {
    let m = call.c.rows
    if m == 0 || call.alpha == 0 {
      gemm(Gemm(alpha: 0, a: call.a, b: call.b, beta: call.beta, c: call.c), threads: threads)
      return
    }
    ThreadContext.current.withScratch(m * m, of: S.self) { full in
      let a = MutableMatrixPointer(full, rows: m, columns: m, rowStride: m, columnStride: 1)
      // The triangle's rows, as rows if it is the lower one, as columns if it is the upper one.
      let source = call.triangle == .lower ? call.a : call.a.transposed
      let kernels = S._kernels(instructionSet)
      for i in 0..<m {
        kernels.copy(
          source.block(i, 0, rows: 1, columns: i + 1), to: a.block(i, 0, rows: 1, columns: i + 1))
      }
      mirror(a, from: .lower)
      gemm(
        Gemm(alpha: call.alpha, a: a.readOnly, b: call.b, beta: call.beta, c: call.c), threads: threads)
    }
  }

  /// Copies one triangle onto the other.
  func mirror<S: KernelScalar>(_ c: MutableMatrixPointer<S>, from triangle: Triangle) {
    let kernels = S._kernels(instructionSet)
    (triangle == .lower ? c : c.transposed).mirrorLower { kernels.copy($0, to: $1) }
  }
}

extension MutableMatrixPointer {
  /// Copies the lower triangle of a square onto the upper one, in blocks: one and its mirror image fit the first-level cache.
  @inline(__always)
  func mirrorLower(_ copy: (MatrixPointer<Scalar>, MutableMatrixPointer<Scalar>) -> Void) {
    let step = 32
    for i in stride(from: 0, to: rows, by: step) {
      let height = min(step, rows - i)
      for j in stride(from: 0, to: i, by: step) {
        copy(
          block(i, j, rows: height, columns: step).readOnly.transposed,
          block(j, i, rows: step, columns: height))
      }
      for r in i..<i + height { for s in i..<r { self[s, r] = self[r, s] } }
    }
  }
}
