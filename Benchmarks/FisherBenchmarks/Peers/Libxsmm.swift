import FisherLinearAlgebra
import FisherRuntime

/// libxsmm, which multiplies small matrices by code that it writes at run time: its `libxsmm_?gemm`, which looks the
/// code up for the sizes of each call as a BLAS would.
///
/// Built for 32-bit integers, which is its default.
final class Libxsmm {
  /// transA, transB, m, n, k, α, A, lda, B, ldb, β, C, ldc
  private typealias Gemm =
    @convention(c) (
      UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafePointer<Int32>, UnsafePointer<Int32>,
      UnsafePointer<Int32>, UnsafeRawPointer, UnsafeRawPointer, UnsafePointer<Int32>, UnsafeRawPointer,
      UnsafePointer<Int32>, UnsafeRawPointer, UnsafeMutableRawPointer, UnsafePointer<Int32>
    ) -> Void

  let path: String
  /// `libxsmm cpx`: the instruction set that it writes code for.
  let version: String
  private let single: Gemm
  private let double: Gemm

  /// The names under which `--against` knows it, or the path of its file.
  static func isNamed(_ library: String) -> Bool {
    ["libxsmm", "xsmm"].contains(library)
      || library.split(separator: "/").last.map { $0.hasPrefix("libxsmm") } ?? false
  }

  /// - Throws: ``LibraryError`` if there is no such library, or it is another one.
  init(_ library: String) throws(LibraryError) {
    let file = library.contains("/") ? library : "libxsmm.so"
    guard let handle = dlopen(file, RTLD_NOW | RTLD_LOCAL) else {
      throw LibraryError(dlerror().map { String(cString: $0) } ?? "cannot load '\(file)'")
    }
    typealias Start = @convention(c) () -> Void
    typealias Text = @convention(c) () -> UnsafePointer<CChar>?
    guard let start = dlsym(handle, "libxsmm_init"), let single = dlsym(handle, "libxsmm_sgemm"),
      let double = dlsym(handle, "libxsmm_dgemm")
    else { throw LibraryError("\(file) has no libxsmm_init, libxsmm_sgemm and libxsmm_dgemm") }
    unsafeBitCast(start, to: Start.self)()
    let target = dlsym(handle, "libxsmm_get_target_arch").flatMap { unsafeBitCast($0, to: Text.self)() }
    path = file
    version = "libxsmm" + (target.map { " " + String(cString: $0) } ?? "")
    self.single = unsafeBitCast(single, to: Gemm.self)
    self.double = unsafeBitCast(double, to: Gemm.self)
  }

  /// C ← A·B, row-major without gaps: Cᵀ = Bᵀ·Aᵀ in its column-major order.
  @inline(__always)
  func multiply<S: KernelScalar>(_ s: Shape, _ a: Operand<S>, _ b: Operand<S>, _ c: Operand<S>) {
    let gemm = S.self == Float.self ? single : double
    var (m, n, k) = (Int32(s.m), Int32(s.n), Int32(s.k))
    var (alpha, beta): (S, S) = (1, 0)
    var letter = CChar(UInt8(ascii: "N"))
    gemm(&letter, &letter, &n, &m, &k, &alpha, b.base, &n, a.base, &k, &beta, c.base, &n)
  }
}

/// Why a library cannot be compared with.
struct LibraryError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
