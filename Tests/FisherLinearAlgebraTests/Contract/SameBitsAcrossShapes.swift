import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// An element of a product depends on its row of A, its column of B, k, α and β: it has the same bits in the
/// whole product, in a block of it, transposed, batched, grouped, from gemv, syrk and symm, and on its own.
struct SameBitsAcrossShapes: Clause {
  static let depths =
    [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100]
    + [128, 192, 256, 320, 384, 512, 768, 1024].flatMap { [$0 - 1, $0, $0 + 1] } + [5000, 100_000]

  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (depth, seed) in zip(Self.depths, Seed.cases(Self.depths.count)) where !found.isFull {
      // As many rows and columns as the budget allows: the whole product should take the blocked path. Plain loops
      // have none.
      let size = depth > 10_000 ? 12 : backend is ReferenceBackend ? 21 : depth > 2000 ? 40 : 75
      let alpha: S = seed % 2 == 0 ? 0.7 : 1
      let beta: S = seed % 3 == 0 ? 0 : 0.7
      let whole = WholeProduct<S>(backend, seed, size + 3, size, depth, alpha, beta)
      for (path, matches) in whole.paths {
        found.expect(
          matches(),
          "FISHER_SEED=\(seed) \(backend.name) \(S.self) \(path): bits differ from the whole product, "
            + "\(size + 3)×\(size)×\(depth), α \(alpha), β \(beta)")
      }
    }
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func sameBitsAcrossShapes(_ subject: Subject) { expect(subject) }
}

/// A product and the other ways to compute parts of it.
private struct WholeProduct<S: KernelScalar> {
  let backend: any Backend
  let (m, n, k): (Int, Int, Int)
  let (alpha, beta): (S, S)
  let a, b, old, c: GuardedMatrix<S>

  init(_ backend: any Backend, _ seed: UInt64, _ m: Int, _ n: Int, _ k: Int, _ alpha: S, _ beta: S) {
    var generator = Generator(seed: seed)
    (self.backend, self.m, self.n, self.k, self.alpha, self.beta) = (backend, m, n, k, alpha, beta)
    a = GuardedMatrix(m, k, .rowMajor).filled(.uniform, &generator)
    b = GuardedMatrix(k, n, .rowMajor).filled(.uniform, &generator)
    old = GuardedMatrix(m, n).filled(.uniform, &generator)
    c = GuardedMatrix(m, n)
    compute(a.readOnly, b.readOnly, into: c.pointer, from: old.readOnly)
  }

  var paths: [(name: String, matches: () -> Bool)] {
    [
      ("block", { block(3, 5, m - 20, n - 31, .rowMajor) && block(m / 2, 1, m / 3, n - 1, .columnMajor) }),
      ("few rows", { (1...3).allSatisfy { block(m - $0 - 1, 0, $0, n, .rowMajor) } }),
      ("few columns", { (1...3).allSatisfy { block(0, n - $0 - 2, m, $0, .columnMajor) } }),
      ("a few elements", { [.rowMajor, .columnMajor, Layout(.rowMajor, inner: 2)].allSatisfy(corners) }),
      ("single elements", { (0..<12).allSatisfy { block($0 * 7 % m, $0 * 11 % n, 1, 1, .rowMajor) } }),
      ("transposed", transposed), ("other layouts", otherLayouts), ("batch of rows", batch),
      ("group of blocks", group), ("gemv", gemv), ("syrk", syrk), ("symm", symm),
    ]
  }

  /// C ← α·A·B + β·old.
  private func compute(
    _ a: MatrixPointer<S>, _ b: MatrixPointer<S>, into c: MutableMatrixPointer<S>, from old: MatrixPointer<S>
  ) {
    let reference = ReferenceBackend()
    reference.copy(old, to: c)
    backend.gemm(Gemm(alpha: alpha, a: a, b: b, beta: beta, c: c), threads: 1)
  }

  private func isSame(_ part: MatrixPointer<S>, _ i0: Int = 0, _ j0: Int = 0) -> Bool {
    (0..<part.rows).allSatisfy { i in
      (0..<part.columns).allSatisfy { j in part[i, j].bits == c.pointer[i0 + i, j0 + j].bits }
    }
  }

  private func block(_ i: Int, _ j: Int, _ rows: Int, _ columns: Int, _ layout: Layout) -> Bool {
    let (rows, columns) = (min(max(rows, 1), m - i), min(max(columns, 1), n - j))
    let part = GuardedMatrix<S>(rows, columns, layout)
    compute(
      a.readOnly.block(i, 0, rows: rows, columns: k), b.readOnly.block(0, j, rows: k, columns: columns),
      into: part.pointer, from: old.readOnly.block(i, j, rows: rows, columns: columns))
    return isSame(part.readOnly, i, j)
  }

  /// Products of few rows and columns, which form the sums of several blocks of k side by side.
  private func corners(_ layout: Layout) -> Bool {
    guard k > 400 else { return true }
    let copyA = GuardedMatrix<S>(5, k, layout).filled { i, j in a.pointer[i, j] }
    let copyB = GuardedMatrix<S>(k, 9, layout).filled { i, j in b.pointer[i, j] }
    return (1...5).allSatisfy { rows in
      [1, 2, 5, 8, 9].allSatisfy { columns in
        let part = GuardedMatrix<S>(rows, columns)
        compute(
          copyA.readOnly.block(0, 0, rows: rows, columns: k),
          copyB.readOnly.block(0, 0, rows: k, columns: columns), into: part.pointer,
          from: old.readOnly.block(0, 0, rows: rows, columns: columns))
        return isSame(part.readOnly)
      }
    }
  }

  private func transposed() -> Bool {
    let part = GuardedMatrix<S>(n, m)
    compute(
      b.readOnly.transposed, a.readOnly.transposed, into: part.pointer, from: old.readOnly.transposed)
    return isSame(part.readOnly.transposed)
  }

  private func otherLayouts() -> Bool {
    [Layout.columnMajor, Layout(.rowMajor, inner: 2), Layout(.columnMajor, padding: 3, flipsRows: true)]
      .allSatisfy { layout in
        let copyA = GuardedMatrix<S>(m, k, layout).filled { i, j in a.pointer[i, j] }
        let copyB = GuardedMatrix<S>(k, n, layout).filled { i, j in b.pointer[i, j] }
        let part = GuardedMatrix<S>(m, n, Layout(.columnMajor, padding: 1))
        compute(copyA.readOnly, copyB.readOnly, into: part.pointer, from: old.readOnly)
        return isSame(part.readOnly)
      }
  }

  private func batch() -> Bool {
    let part = GuardedMatrix<S>(m, n).filled { i, j in old.pointer[i, j] }
    let first = Gemm(
      alpha: alpha, a: a.readOnly.block(0, 0, rows: 1, columns: k), b: b.readOnly, beta: beta,
      c: part.pointer.block(0, 0, rows: 1, columns: n))
    backend.gemm(
      first: first, count: m, batchStrides: (a.pointer.rowStride, 0, part.pointer.rowStride), threads: 1)
    return isSame(part.readOnly)
  }

  private func group() -> Bool {
    let part = GuardedMatrix<S>(m, n).filled { i, j in old.pointer[i, j] }
    let cuts = [0, 1, 3, m / 2, m]
    let calls = zip(cuts, cuts.dropFirst()).map { start, end in
      Gemm(
        alpha: alpha, a: a.readOnly.block(start, 0, rows: end - start, columns: k), b: b.readOnly, beta: beta,
        c: part.pointer.block(start, 0, rows: end - start, columns: n))
    }
    calls.withUnsafeBufferPointer { backend.gemm(group: $0, threads: 1) }
    return isSame(part.readOnly)
  }

  private func gemv() -> Bool {
    [0, n / 2, n - 1].allSatisfy { j in
      let y = GuardedMatrix<S>(m, 1).filled { i, _ in old.pointer[i, j] }
      let x = VectorPointer(b.readOnly.base + j, count: k, stride: b.pointer.rowStride)
      backend.gemv(Gemv(alpha: alpha, a: a.readOnly, x: x, beta: beta, y: y.vector), threads: 1)
      return isSame(y.readOnly, 0, j)
    }
  }

  /// Both triangles of A·Aᵀ against gemm on A and Aᵀ.
  private func syrk() -> Bool {
    let whole = GuardedMatrix<S>(m, m).filled { i, j in S(min(i, j)) / 8 }
    backend.gemm(
      Gemm(alpha: alpha, a: a.readOnly, b: a.readOnly.transposed, beta: beta, c: whole.pointer), threads: 1)
    return Triangle.allCases.allSatisfy { triangle in
      let part = GuardedMatrix<S>(m, m).filled { i, j in S(min(i, j)) / 8 }
      backend.syrk(
        Syrk(alpha: alpha, a: a.readOnly, beta: beta, c: part.pointer, triangle: triangle, mirror: true),
        threads: 1)
      return part.elementBits() == whole.elementBits()
    }
  }

  /// A symmetric matrix made of the first rows of A, times B, against gemm on the full matrix.
  private func symm() -> Bool {
    guard k <= 400 else { return true }
    let full = GuardedMatrix<S>(k, k).filled { i, j in a.pointer[(i + j) % m, min(i, j)] }
    let expected = GuardedMatrix<S>(k, n).filled { i, j in S(i - j) / 8 }
    backend.gemm(
      Gemm(alpha: alpha, a: full.readOnly, b: b.readOnly, beta: beta, c: expected.pointer), threads: 1)
    return Triangle.allCases.allSatisfy { triangle in
      let part = GuardedMatrix<S>(k, n).filled { i, j in S(i - j) / 8 }
      backend.symm(
        Symm(
          alpha: alpha, a: full.readOnly, triangle: triangle, b: b.readOnly, beta: beta, c: part.pointer),
        threads: 1)
      return part.elementBits() == expected.elementBits()
    }
  }
}
