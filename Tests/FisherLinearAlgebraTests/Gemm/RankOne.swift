import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// In ger and syr α is applied to a vector before the product: what it brings into range is in range, in every layout.
@Test(arguments: backendsUnderTest(), [1, 3, 40, 70])
func updatesOfRankOneScaleAVectorFirst(subject: BackendUnderTest, n: Int) {
  check(Float.self)
  check(Double.self)
  func check<S: KernelScalar>(_: S.Type) {
    // α·x = 1, and x² is beyond the range.
    let big: S = S.greatestFiniteMagnitude.squareRoot().binade * 1024
    let (alpha, x) = (1 / big, Matrix<S>(repeating: big, rows: n, columns: 1))
    for isTransposed in [false, true] {
      let zeros = Matrix<S>(rows: n, columns: n)
      var a = isTransposed ? zeros.transposed : zeros
      ger(alpha: alpha, x, x, into: &a, on: subject.backend)
      #expect(a.array.allSatisfy { $0 == big }, "\(subject) \(S.self) ger \(n) transposed \(isTransposed)")
      for triangle in Triangle.allCases {
        var a = isTransposed ? zeros.transposed : zeros
        syr(alpha: alpha, x, into: &a, triangle: triangle, on: subject.backend)
        for i in 0..<n {
          for j in 0..<n {
            let isInside = triangle == .lower ? j <= i : j >= i
            #expect(a[i, j] == (isInside ? big : 0), "\(subject) \(S.self) syr \(n) at \(i), \(j)")
          }
        }
      }
    }
  }
}

/// syr is one triangle of the product, with the same bits in every layout, and does not touch the other.
@Test(arguments: backendsUnderTest(), [0, 1, 2, 9, 65])
func syrIsOneTriangleOfTheProduct(subject: BackendUnderTest, n: Int) {
  var generator = Generator(seed: Seed.first &+ UInt64(n))
  let x = Matrix<Float>(rows: n, columns: 1) { _, _ in generator.integer(in: -9...9) }
  let old = Matrix<Float>(rows: n, columns: n) { _, _ in generator.integer(in: -9...9) }
  for triangle in Triangle.allCases {
    for x in [x, x.transposed] {
      for start in [old, old.transposed.compacted().transposed] {
        var a = start
        syr(alpha: 2, x, into: &a, triangle: triangle, on: subject.backend)
        let v = x.array
        for i in 0..<n {
          for j in 0..<n {
            let isInside = triangle == .lower ? j <= i : j >= i
            #expect(a[i, j] == old[i, j] + (isInside ? 2 * v[i] * v[j] : 0), "\(subject) \(n) at \(i), \(j)")
          }
        }
      }
    }
  }
}

/// α = 0 means that nothing is read: NaN and infinity in an operand leave no trace, and scal makes zeros of them.
@Test(arguments: backendsUnderTest()) func alphaOfZeroReadsNothing(subject: BackendUnderTest) {
  let (backend, bad) = (subject.backend, [Float.nan, .infinity, -.infinity])
  let x = Matrix(bad, rows: 3, columns: 1)
  let square = Matrix<Float>(repeating: .nan, rows: 3, columns: 3)
  let ones = Matrix<Float>(repeating: 1, rows: 3, columns: 3)
  var (v, w, a, b, c) = (x, Matrix<Float>(repeating: 1, rows: 3, columns: 1), ones, ones, ones)
  scal(alpha: 0, &v, on: backend)
  #expect(v.array == [0, 0, 0])
  axpy(alpha: 0, x, into: &w, on: backend)
  gemv(alpha: 0, square, x, beta: 1, into: &w, on: backend)
  #expect(w.array == [1, 1, 1])
  ger(alpha: 0, x, x, into: &a, on: backend)
  syr(alpha: 0, x, into: &a, on: backend)
  gemm(alpha: 0, square, square, beta: 1, into: &a, on: backend)
  symm(alpha: 0, square, square, beta: 1, into: &a, on: backend)
  syrk(alpha: 0, square, beta: 1, into: &a, on: backend)
  #expect(a == ones)
  trmm(alpha: 0, square, into: &b, on: backend)
  trsm(alpha: 0, square, into: &c, on: backend)
  #expect(b.array + c.array == [Float](repeating: 0, count: 18))
}
