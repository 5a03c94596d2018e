import FisherLinearAlgebra
import FisherTestSupport
import Foundation
import KernelTemplates
import Testing

/// Rows so far apart that their offsets exceed 2³¹ elements: a 32-bit index anywhere reads or writes elsewhere.
struct HugeOffsets: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let (m, n, k) = (3, 5, 4)
    let memory = SparseMemory<S>(lines: 5, stride: (1 << 30) + 16)
    for far in 0..<3 {
      for transposed in [false, true] {
        var generator = Generator(seed: Seed.first)
        let owners = [(m, k), (k, n), (m, n), (m, n)].map { rows, columns in
          GuardedMatrix<S>(rows, columns).filled(.integers, &generator)
        }
        defer { withExtendedLifetime(owners) {} }
        let operands = owners.map(\.pointer)
        let expected = operands[3]
        ReferenceBackend().copy(operands[2].readOnly, to: expected)
        var used = operands
        used[far] = memory.copy(of: operands[far], transposed: transposed)
        backend.gemm(
          Gemm(alpha: 1, a: used[0].readOnly, b: used[1].readOnly, beta: 1, c: used[2]), threads: 2)
        ReferenceBackend().gemm(
          Gemm(alpha: 1, a: operands[0].readOnly, b: operands[1].readOnly, beta: 1, c: expected), threads: 1)
        let same = (0..<m).allSatisfy { i in (0..<n).allSatisfy { j in used[2][i, j] == expected[i, j] } }
        let name = ["A", "B", "C"][far]
        found.expect(
          same, "\(backend.name) \(S.self): wrong if \(name) is far apart, transposed \(transposed)")
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func hugeOffsets(_ subject: Subject) { expect(subject) }
}

/// Address space of which only the touched pages take memory, for lines that are `stride` elements apart.
private final class SparseMemory<S: KernelScalar> {
  private let base: UnsafeMutablePointer<S>
  private let bytes: Int
  private let stride: Int

  init(lines: Int, stride: Int) {
    bytes = lines * stride * MemoryLayout<S>.stride
    self.stride = stride
    var flags = MAP_PRIVATE | MAP_ANON
    #if os(Linux)
      flags |= Int32(MAP_NORESERVE)
    #endif
    guard let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, -1, 0), memory != MAP_FAILED else {
      fatalError("no \(bytes) bytes of address space: \(String(cString: strerror(errno)))")
    }
    base = memory.assumingMemoryBound(to: S.self)
  }

  deinit { munmap(base, bytes) }

  /// A copy whose rows (or columns, if transposed) are far apart.
  func copy(of matrix: MutableMatrixPointer<S>, transposed: Bool) -> MutableMatrixPointer<S> {
    let result = MutableMatrixPointer(
      base, rows: matrix.rows, columns: matrix.columns, rowStride: transposed ? 1 : stride,
      columnStride: transposed ? stride : 1)
    ReferenceBackend().copy(matrix.readOnly, to: result)
    return result
  }
}
