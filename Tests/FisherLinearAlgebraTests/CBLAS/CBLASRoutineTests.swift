import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// The binding: every routine, layout and triangle against plain loops. The data are small integers, so that all sums
/// are exact and any wrong argument shows.
@Suite(.enabled(if: InstalledOpenBLAS.isAvailable, InstalledOpenBLAS.hint))
struct CBLASRoutineTests {
  let loops = LoopBackend()
  let fallback = LoopBackend()
  let blas: CBLASBackend

  init() throws { blas = try CBLASBackend(library: "openblas", fallback: fallback) }

  /// How a matrix lies in memory. All but the last can be passed to CBLAS.
  enum Layout: CaseIterable { case rows, rowBlock, columns, columnBlock }

  /// Small integers; `seed` makes matrices differ.
  func matrix<S: KernelScalar>(_ rows: Int, _ columns: Int, _ layout: Layout = .rows, seed: Int = 1)
    -> Matrix<S>
  {
    func value(_ i: Int, _ j: Int) -> S { S((i * 7 + j * 3 + i * j + seed) % 9 - 4) }
    switch layout {
    case .rows: return Matrix(rows: rows, columns: columns, value)
    case .columns: return Matrix(rows: columns, columns: rows) { value($1, $0) }.transposed
    case .rowBlock:
      let parent = Matrix<S>(rows: rows + 3, columns: columns + 4) { i, j in
        i >= 1 && j >= 2 && i <= rows && j < columns + 2 ? value(i - 1, j - 2) : .nan
      }
      return parent[rows: 1..<rows + 1, columns: 2..<columns + 2]
    case .columnBlock:
      let parent = Matrix<S>(rows: columns + 3, columns: rows + 4) { j, i in
        j >= 1 && i >= 2 && j <= columns && i < rows + 2 ? value(i - 2, j - 1) : .nan
      }
      return parent[rows: 1..<columns + 1, columns: 2..<rows + 2].transposed
    }
  }

  /// Mutates a block that is surrounded by sentinels; returns it and checks the sentinels.
  func inside<S: KernelScalar>(_ c: Matrix<S>, columnMajor: Bool, _ body: (inout Matrix<S>) -> Void)
    -> Matrix<S>
  {
    var parent = Matrix<S>(repeating: 99, rows: c.rows + 2, columns: c.columns + 3)
    if columnMajor { parent = Matrix(repeating: 99, rows: c.columns + 3, columns: c.rows + 2).transposed }
    let (rows, columns) = (1..<c.rows + 1, 2..<c.columns + 2)
    parent[rows: rows, columns: columns] = c
    body(&parent[rows: rows, columns: columns])
    let result = parent[rows: rows, columns: columns].compacted()
    parent[rows: rows, columns: columns] = Matrix(repeating: 99, rows: c.rows, columns: c.columns)
    #expect(
      parent == Matrix(repeating: 99, rows: parent.rows, columns: parent.columns),
      "a sentinel was overwritten")
    return result
  }

  func gemmAgrees<S: KernelScalar>(_ type: S.Type) {
    for (m, n, k) in [(3, 4, 5), (1, 4, 3), (4, 1, 3), (3, 4, 1), (1, 1, 1), (17, 9, 33)] {
      for layoutA in Layout.allCases {
        for layoutB in Layout.allCases {
          for columnMajor in [false, true] {
            for (alpha, beta) in [(1, 0), (-2, 1), (3, 2)] as [(S, S)] {
              let (a, b): (Matrix<S>, Matrix<S>) = (matrix(m, k, layoutA), matrix(k, n, layoutB, seed: 5))
              let c: Matrix<S> =
                beta == 0 ? Matrix(repeating: .nan, rows: m, columns: n) : matrix(m, n, seed: 3)
              func run(_ backend: any Backend) -> Matrix<S> {
                inside(c, columnMajor: columnMajor) {
                  gemm(alpha: alpha, a, b, beta: beta, into: &$0, on: backend)
                }
              }
              #expect(
                run(blas) == run(loops),
                "\(m) \(n) \(k) \(layoutA) \(layoutB) \(columnMajor) \(alpha) \(beta)")
            }
          }
        }
      }
    }
    #expect(fallback.log.all.isEmpty, "CBLAS can express all of these")
  }

  @Test func gemmFloat() { gemmAgrees(Float.self) }
  @Test func gemmDouble() { gemmAgrees(Double.self) }

  func symmetricAgree<S: KernelScalar>(_ type: S.Type) {
    for (n, k) in [(1, 1), (1, 5), (5, 1), (4, 7), (19, 3)] {
      for triangle in Triangle.allCases {
        for layout in Layout.allCases {
          for columnMajor in [false, true] {
            let (a, c): (Matrix<S>, Matrix<S>) = (matrix(n, k, layout), matrix(n, n, seed: 3))
            for mirror in [false, true] {
              func run(_ backend: any Backend) -> Matrix<S> {
                inside(c, columnMajor: columnMajor) {
                  syrk(alpha: 2, a, beta: 3, into: &$0, triangle: triangle, mirror: mirror, on: backend)
                }
              }
              #expect(
                run(blas) == run(loops), "syrk \(n) \(k) \(triangle) \(layout) \(columnMajor) \(mirror)")
            }
            for side in Side.allCases {
              var s: Matrix<S> = matrix(n, n, layout, seed: 4)
              for i in 0..<n {
                for j in 0..<i { if triangle == .lower { s[j, i] = .nan } else { s[i, j] = .nan } }
              }
              let (m, p) = side == .left ? (n, k) : (k, n)
              let (b, d): (Matrix<S>, Matrix<S>) = (
                matrix(m, p, columnMajor ? .columns : .rowBlock), matrix(m, p)
              )
              func run(_ backend: any Backend) -> Matrix<S> {
                inside(d, columnMajor: columnMajor) {
                  symm(alpha: 2, s, triangle: triangle, side: side, b, beta: 3, into: &$0, on: backend)
                }
              }
              #expect(run(blas) == run(loops), "symm \(n) \(k) \(triangle) \(layout) \(columnMajor) \(side)")
            }
          }
        }
      }
    }
    #expect(fallback.log.all.isEmpty, "CBLAS can express all of these")
  }

  @Test func symmetricFloat() { symmetricAgree(Float.self) }
  @Test func symmetricDouble() { symmetricAgree(Double.self) }

  func matrixVectorAgree<S: KernelScalar>(_ type: S.Type) {
    for (m, n) in [(1, 1), (1, 6), (6, 1), (5, 7), (40, 33)] {
      for layout in Layout.allCases {
        for (alpha, beta) in [(1, 0), (-2, 3)] as [(S, S)] {
          let (a, x, y): (Matrix<S>, Matrix<S>, Matrix<S>) = (
            matrix(m, n, layout), matrix(n, 3), matrix(m, 2)
          )
          func multiply(_ backend: any Backend) -> Matrix<S> {
            var y = y
            if beta == 0 { scal(alpha: .nan, &y[rows: 0..., columns: 1...], on: loops) }
            gemv(alpha: alpha, a, x.column(2), beta: beta, into: &y[rows: 0..., columns: 1...], on: backend)
            return y
          }
          #expect(multiply(blas) == multiply(loops), "gemv \(m) \(n) \(layout) \(alpha) \(beta)")
          func update(_ backend: any Backend) -> Matrix<S> {
            inside(a, columnMajor: layout == .columns) {
              ger(alpha: alpha, y.column(1), x.column(0), into: &$0, on: backend)
            }
          }
          #expect(update(blas) == update(loops), "ger \(m) \(n) \(layout) \(alpha)")
        }
      }
    }
    #expect(fallback.log.all.isEmpty, "CBLAS can express all of these")
  }

  @Test func matrixVectorFloat() { matrixVectorAgree(Float.self) }
  @Test func matrixVectorDouble() { matrixVectorAgree(Double.self) }

  func vectorsAgree<S: KernelScalar>(_ type: S.Type) {
    for count in [1, 2, 7, 64, 100] {
      for (incx, incy) in [(1, 1), (2, 3), (-1, 1), (1, -2), (-3, -1)] {
        let x: Matrix<S> = matrix(1, count * abs(incx))
        let y: Matrix<S> = matrix(1, count * abs(incy), seed: 6)
        func vector<T>(_ memory: UnsafePointer<T>, _ stride: Int) -> VectorPointer<T> {
          VectorPointer(stride < 0 ? memory - (count - 1) * stride : memory, count: count, stride: stride)
        }
        func run(_ backend: any Backend) -> [S] {
          var copy = y
          let (vx, vy) = (vector(x.pointer.base, incx), vector(y.pointer.base, incy))
          var results = [backend.dot(vx, vy), backend.asum(vx), S(backend.iamax(vx) ?? -1)]
          // The squares are exact and the root is rounded once: compare the squares, to the rounding of a root.
          let norm = backend.nrm2(vx)
          results.append((norm * norm).rounded())
          copy.withMutablePointer { c in
            let start = c.base + (incy < 0 ? -(count - 1) * incy : 0)
            let target = MutableVectorPointer(start, count: count, stride: incy)
            backend.axpy(alpha: 3, x: vx, y: target)
            backend.scal(alpha: -2, x: target)
          }
          return results + copy.array
        }
        withExtendedLifetime((x, y)) {
          #expect(run(blas) == run(loops), "\(count) \(incx) \(incy)")
        }
      }
    }
  }

  @Test func vectorsFloat() { vectorsAgree(Float.self) }
  @Test func vectorsDouble() { vectorsAgree(Double.self) }

  @Test func iamaxFindsTheFirstNaN() {
    #expect(blas.iamaxIndex([1, .nan, 3, .nan]) == 1)
    #expect(blas.iamaxIndex([1, -3, 3]) == 1)
    #expect(blas.iamaxIndex([]) == nil)
  }

  @Test func epiloguesAndBatches() {
    let (a, b): (Matrix<Float>, Matrix<Float>) = (matrix(4, 3), matrix(3, 5))
    func run(_ backend: any Backend) -> Matrix<Float> {
      var c = Matrix<Float>(repeating: .nan, rows: 4, columns: 5)
      gemm(a, b, into: &c, bias: matrix(4, 1), activation: .leakyRelu(slope: 0.5), on: backend)
      return c
    }
    #expect(run(blas) == run(loops))
    var stack = MatrixStack<Float>(count: 3, rows: 4, columns: 5)
    gemm(
      MatrixStack(splitting: matrix(12, 3), count: 3), MatrixStack(repeating: b, count: 3), into: &stack,
      on: blas)
    for i in 0..<3 {
      let part: Matrix<Float> = matrix(12, 3)
      #expect(stack[i] == part[rows: 4 * i..<4 * i + 4, columns: 0...].multiplied(by: b, on: loops))
    }
    var products = [Matrix<Float>(rows: 4, columns: 5), Matrix(rows: 2, columns: 2)]
    gemm([a, [[1, 2], [3, 4]]], [b, [[0, 1], [1, 0]]], into: &products, on: blas)
    #expect(products == [a.multiplied(by: b, on: loops), [[2, 1], [4, 3]]])
  }

  @Test func whatCBLASCannotExpressFallsBack() {
    // Every second column of a wider matrix.
    let wide: Matrix<Double> = matrix(4, 6)
    let b: Matrix<Double> = matrix(3, 2)
    var c = Matrix<Double>(rows: 4, columns: 2)
    wide.withPointer { wide in
      b.withPointer { b in
        c.withMutablePointer { c in
          let a = MatrixPointer(wide.base, rows: 4, columns: 3, rowStride: 6, columnStride: 2)
          gemm(Gemm(alpha: 1, a: a, b: b, beta: 0, c: c), on: blas, threads: 1)
        }
      }
    }
    #expect(fallback.log.all == ["gemm"])
    let even = Matrix<Double>(rows: 4, columns: 3) { i, j in wide[i, 2 * j] }
    #expect(c == even.multiplied(by: b, on: loops))
  }

  @Test func nothingIsReadForAlphaZero() {
    var c: Matrix<Double> = [[1, 2], [3, 4]]
    let nan = Matrix<Double>(repeating: .nan, rows: 2, columns: 2)
    gemm(alpha: 0, nan, nan, beta: 2, into: &c, on: blas)
    #expect(c == [[2, 4], [6, 8]])
    gemm(Matrix(rows: 2, columns: 0), Matrix(rows: 0, columns: 2), beta: 0.5, into: &c, on: blas)
    #expect(c == [[1, 2], [3, 4]])
    gemv(alpha: 0, nan, nan.row(0), beta: 1, into: &c[rows: 0..<1, columns: 0...], on: blas)
    axpy(alpha: 0, nan, into: &c, on: blas)
    #expect(c == [[1, 2], [3, 4]])
  }

  /// Where cores have a name that every machine accepts, in a copy of the library: the tests pin the threads of the other one.
  @Test func severalThreadsGiveTheSameProduct() throws {
    #if arch(x86_64)
      let blas = try CBLASBackend(library: "openblas@nehalem")
    #endif
    let (a, b): (Matrix<Double>, Matrix<Double>) = (matrix(200, 150), matrix(150, 170))
    #expect(a.multiplied(by: b, on: blas, threads: 2) == a.multiplied(by: b, on: blas, threads: 1))
  }
}

extension CBLASBackend {
  fileprivate func iamaxIndex(_ values: [Double]) -> Int? {
    Matrix(values, rows: 1, columns: values.count).withPointer {
      iamax(VectorPointer($0.base, count: values.count))
    }
  }
}
