import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// Every operation gives over borrowed memory the bits that it gives on matrices of their own.
@Suite struct BorrowedOperands {
  /// Lends copies of matrices that lie among sentinels, `gap` elements between the rows.
  static func lend<R>(_ a: Matrix<Float>, gap: Int, _ body: (Matrix<Float>) throws -> R) rethrows -> R {
    var memory = [Float](repeating: .sentinel, count: gap + a.rows * (a.columns + gap))
    for i in 0..<a.rows { for j in 0..<a.columns { memory[gap + i * (a.columns + gap) + j] = a[i, j] } }
    do {
      return try memory.withMatrix(rows: a.rows, columns: a.columns, rowStride: a.columns + gap, offset: gap)
      {
        (a) throws(any Error) in try body(a)
      }
    }
  }

  /// The matrix after `body` has changed it, in place among sentinels.
  static func change(_ a: Matrix<Float>, gap: Int, _ body: (inout Matrix<Float>) throws -> Void) rethrows
    -> Matrix<Float>
  {
    let pitch = a.columns + gap
    var memory = [Float](repeating: .sentinel, count: gap + a.rows * pitch)
    for i in 0..<a.rows { for j in 0..<a.columns { memory[gap + i * pitch + j] = a[i, j] } }
    try memory.withMutableMatrix(rows: a.rows, columns: a.columns, rowStride: pitch, offset: gap) {
      (a) throws(any Error) in try body(&a)
    }
    for e in memory.indices where e < gap || (e - gap) % pitch >= a.columns {
      #expect(memory[e].bits == Float.sentinel.bits, "something was written beside the matrix")
    }
    return Matrix(rows: a.rows, columns: a.columns) { memory[gap + $0 * pitch + $1] }
  }

  typealias Operation =
    @Sendable (_ a: Matrix<Float>, _ b: Matrix<Float>, _ c: inout Matrix<Float>) throws -> Void

  /// A symmetric positive definite a, and b and c, all of order n.
  static let operations: [(String, Operation)] = [
    ("gemm", { a, b, c in gemm(alpha: 2, a, b.transposed, beta: 3, into: &c) }),
    ("gemm with bias", { a, b, c in gemm(a, b, into: &c, bias: b.row(0), activation: .relu) }),
    ("syrk", { a, b, c in syrk(b, beta: 1, into: &c, mirror: true) }),
    ("symm", { a, b, c in symm(a, b, into: &c) }),
    ("gemv", { a, b, c in gemv(a, b.column(1), into: &c[rows: 0..., columns: 0..<1]) }),
    ("ger", { a, b, c in ger(alpha: 2, a.row(0), b.row(1), into: &c) }),
    ("trsm", { a, b, c in trsm(a, into: &c) }),
    ("trmm", { a, b, c in trmm(a, side: .right, into: &c) }),
    ("axpy", { a, b, c in axpy(alpha: 2, b, into: &c) }),
    ("copy", { a, b, c in transpose(b, into: &c) }),
    ("Cholesky", { a, b, c in try Cholesky(a).solve(&c) }),
    ("inverse", { a, b, c in try Cholesky(a).inverse(into: &c) }),
    ("LU", { a, b, c in try LU(b).solve(&c) }),
    ("QR", { a, b, c in c = try QR(b).solving(c) }),
    ("eigen", { a, b, c in c = try SymmetricEigen(a).vectors }),
    ("root", { a, b, c in c = try InverseRoot(a, p: 2).matrix }),
    (
      "invert",
      { a, b, c in
        copy(a, into: &c)
        try c.invertPositiveDefinite()
      }
    ),
    (
      "sums",
      { a, b, c in
        c[0, 0] = dot(a, b)
        c[0, 1] = nrm2(b)
        c[0, 2] = asum(b)
        scal(alpha: 3, &c)
      }
    ),
  ]

  @Test(arguments: operations.indices, [3, 17, 40]) func givesTheSameBits(operation: Int, n: Int) throws {
    let (name, perform) = Self.operations[operation]
    var generator = Generator(seed: UInt64(n))
    let b = Matrix<Float>(rows: n, columns: n) { _, _ in generator.uniform() }
    let start = Matrix<Float>(rows: n, columns: n) { _, _ in generator.uniform() }
    var a = Matrix<Float>(identity: n)
    syrk(b, beta: 2, into: &a, mirror: true)
    var expected = start
    try perform(a, b, &expected)
    for gap in [0, 1, 5] {
      let result = try Self.lend(a, gap: gap) { a in
        try Self.lend(b, gap: gap) { b in try Self.change(start, gap: gap) { try perform(a, b, &$0) } }
      }
      #expect(result.array.map(\.bits) == expected.array.map(\.bits), "\(name), gap \(gap)")
    }
  }
}
