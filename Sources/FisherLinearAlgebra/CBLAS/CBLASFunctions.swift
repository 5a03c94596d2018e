// The C functions of one element type. One set of types serves Float and Double, 32-bit and 64-bit integers:
//
// * Integers are passed as Int. A callee that takes an int looks only at the low half of the register or of the
//   8-byte stack slot, in the calling conventions of Linux on x86-64 and arm64.
// * Numbers are passed and returned in a Double. A callee that takes a float looks only at the low half of the vector
//   register; all our calls have at most two numbers, which never reach the stack.

/// A Float or Double as a C function takes and returns it: in the low bytes of a floating-point register.
package struct CBLASNumber {
  package var register: Double

  @inline(__always)
  package init<S: KernelScalar>(_ value: S) {
    var register = 0.0
    withUnsafeMutableBytes(of: &register) { $0.storeBytes(of: value, as: S.self) }
    self.register = register
  }
}

extension KernelScalar {
  /// The number that a C function returned.
  @inline(__always)
  package init(register: Double) {
    self = withUnsafeBytes(of: register) { $0.load(as: Self.self) }
  }
}

/// The functions of one element type, each nil if the library lacks it.
struct CBLASFunctions: Sendable {
  typealias Input = UnsafeRawPointer
  typealias Output = UnsafeMutableRawPointer

  /// order, transA, transB, m, n, k, α, A, lda, B, ldb, β, C, ldc
  typealias Gemm =
    @convention(c) (
      Int32, Int32, Int32, Int, Int, Int, Double, Input, Int, Input, Int, Double, Output, Int
    ) -> Void
  /// order, triangle, trans, n, k, α, A, lda, β, C, ldc
  typealias Syrk =
    @convention(c) (
      Int32, Int32, Int32, Int, Int, Double, Input, Int, Double, Output, Int
    ) -> Void
  /// order, side, triangle, m, n, α, A, lda, B, ldb, β, C, ldc
  typealias Symm =
    @convention(c) (
      Int32, Int32, Int32, Int, Int, Double, Input, Int, Input, Int, Double, Output, Int
    ) -> Void
  /// order, side, triangle, trans, diagonal, m, n, α, A, lda, B, ldb; trmm has the same
  typealias Trsm =
    @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int, Int, Double, Input, Int, Output, Int
    ) -> Void
  /// order, trans, m, n, α, A, lda, x, incx, β, y, incy
  typealias Gemv =
    @convention(c) (
      Int32, Int32, Int, Int, Double, Input, Int, Input, Int, Double, Output, Int
    ) -> Void
  /// order, m, n, α, x, incx, y, incy, A, lda
  typealias Ger = @convention(c) (Int32, Int, Int, Double, Input, Int, Input, Int, Output, Int) -> Void
  /// n, x, incx, y, incy
  typealias Dot = @convention(c) (Int, Input, Int, Input, Int) -> Double
  /// n, α, x, incx, y, incy
  typealias Axpy = @convention(c) (Int, Double, Input, Int, Output, Int) -> Void
  /// n, α, x, incx
  typealias Scal = @convention(c) (Int, Double, Output, Int) -> Void
  /// n, x, incx
  typealias Norm = @convention(c) (Int, Input, Int) -> Double
  /// n, x, incx
  typealias Index = @convention(c) (Int, Input, Int) -> Int

  let gemm: Gemm?
  let syrk: Syrk?
  let symm: Symm?
  let trsm: Trsm?
  let trmm: Trsm?
  let gemv: Gemv?
  let ger: Ger?
  let dot: Dot?
  let axpy: Axpy?
  let scal: Scal?
  let nrm2: Norm?
  let asum: Norm?
  let iamax: Index?
  let lapack: LAPACKFunctions

  /// Binds the functions of the element type `type`, `s` or `d`; appends the names of those missing.
  init(type: String, in symbols: CBLASSymbols, missing: inout [String]) {
    func bind<F>(_ name: String) -> F? { symbols.bind(name, &missing) }
    gemm = bind("cblas_\(type)gemm")
    syrk = bind("cblas_\(type)syrk")
    symm = bind("cblas_\(type)symm")
    trsm = bind("cblas_\(type)trsm")
    trmm = bind("cblas_\(type)trmm")
    gemv = bind("cblas_\(type)gemv")
    ger = bind("cblas_\(type)ger")
    dot = bind("cblas_\(type)dot")
    axpy = bind("cblas_\(type)axpy")
    scal = bind("cblas_\(type)scal")
    nrm2 = bind("cblas_\(type)nrm2")
    asum = bind("cblas_\(type)asum")
    iamax = bind("cblas_i\(type)amax")
    lapack = LAPACKFunctions(type: type, in: symbols, missing: &missing)
  }
}
