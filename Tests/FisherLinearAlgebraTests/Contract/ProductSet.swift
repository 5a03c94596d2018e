import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates

/// Every routine that may use threads, run on one set of data; what it returns are the bits of all results.
struct ProductSet<S: KernelScalar> {
  let a, b, symmetric: GuardedMatrix<S>

  init(_ m: Int, _ n: Int, _ k: Int) {
    var generator = Generator(seed: Seed.first &+ UInt64(m * 31 + n * 7 + k))
    a = GuardedMatrix(m, k, Layout(.rowMajor, padding: 3)).filled(.uniform, &generator)
    b = GuardedMatrix(k, n, .columnMajor).filled(.uniform, &generator)
    let order = min(m, 200)
    symmetric = GuardedMatrix(order, order).filled(.uniform, &generator)
  }

  private var m: Int { a.rows }
  private var n: Int { b.columns }
  private var k: Int { a.columns }

  private func output(_ rows: Int, _ columns: Int) -> GuardedMatrix<S> {
    GuardedMatrix(rows, columns).filled { i, j in S(i - j) / 8 }
  }

  func run(_ backend: any Backend, threads: Int) -> [(routine: String, bits: [UInt64])] {
    [
      ("gemm", gemm(backend, threads)), ("gemm group", group(backend, threads)),
      ("gemm batch", batch(backend, threads)), ("syrk", syrk(backend, threads)),
      ("symm", symm(backend, threads)), ("gemv", gemv(backend, threads)), ("ger", ger(backend, threads)),
    ]
  }

  func gemm(_ backend: any Backend, _ threads: Int) -> [UInt64] {
    let c = output(m, n)
    backend.gemm(
      Gemm(alpha: 0.7, a: a.readOnly, b: b.readOnly, beta: -1, c: c.pointer), threads: threads)
    return c.elementBits()
  }

  /// The product cut into four blocks of C, and one that is transposed.
  private func group(_ backend: any Backend, _ threads: Int) -> [UInt64] {
    let (c, d) = (output(m, n), output(n, m))
    var calls = [
      Gemm(alpha: 0.7, a: b.readOnly.transposed, b: a.readOnly.transposed, beta: 1, c: d.pointer)
    ]
    for (i, rows) in [(0, m / 2), (m / 2, m - m / 2)] {
      for (j, columns) in [(0, n / 3), (n / 3, n - n / 3)] {
        calls.append(
          Gemm(
            alpha: 1, a: a.readOnly.block(i, 0, rows: rows, columns: k),
            b: b.readOnly.block(0, j, rows: k, columns: columns), beta: 0.7,
            c: c.pointer.block(i, j, rows: rows, columns: columns)))
      }
    }
    calls.withUnsafeBufferPointer { backend.gemm(group: $0, threads: threads) }
    return c.elementBits() + d.elementBits()
  }

  /// One product for each row of A.
  private func batch(_ backend: any Backend, _ threads: Int) -> [UInt64] {
    let c = output(m, n)
    let first = Gemm(
      alpha: 1, a: a.readOnly.block(0, 0, rows: min(m, 1), columns: k), b: b.readOnly, beta: 1,
      c: c.pointer.block(0, 0, rows: min(m, 1), columns: n))
    let strides = (a: a.pointer.rowStride, b: 0, c: c.pointer.rowStride)
    backend.gemm(first: first, count: m, batchStrides: strides, threads: threads)
    return c.elementBits()
  }

  private func syrk(_ backend: any Backend, _ threads: Int) -> [UInt64] {
    let c = output(m, m)
    backend.syrk(
      Syrk(alpha: 0.7, a: a.readOnly, beta: 0.7, c: c.pointer, triangle: .lower, mirror: true),
      threads: threads)
    return c.elementBits()
  }

  private func symm(_ backend: any Backend, _ threads: Int) -> [UInt64] {
    let order = symmetric.rows
    let c = output(order, k)
    backend.symm(
      Symm(
        alpha: 1, a: symmetric.readOnly, triangle: .upper,
        b: a.readOnly.block(0, 0, rows: order, columns: k), beta: 1, c: c.pointer), threads: threads)
    return c.elementBits()
  }

  private func gemv(_ backend: any Backend, _ threads: Int) -> [UInt64] {
    let (y, z) = (output(m, 1), output(n, 1))
    let x = VectorPointer(b.readOnly.base, count: n > 0 ? k : 0, stride: b.pointer.rowStride)
    backend.gemv(Gemv(alpha: 0.7, a: a.readOnly, x: x, beta: 1, y: y.vector), threads: threads)
    let w = VectorPointer(a.readOnly.base, count: k, stride: a.pointer.columnStride)
    backend.gemv(Gemv(alpha: 1, a: b.readOnly.transposed, x: w, beta: 0, y: z.vector), threads: threads)
    return y.elementBits() + z.elementBits()
  }

  private func ger(_ backend: any Backend, _ threads: Int) -> [UInt64] {
    let c = output(m, n)
    let x = VectorPointer(a.readOnly.base, count: m, stride: a.pointer.rowStride)
    let y = VectorPointer(b.readOnly.base, count: n, stride: b.pointer.columnStride)
    backend.ger(alpha: 0.7, x: x, y: y, a: c.pointer, threads: threads)
    return c.elementBits()
  }
}
