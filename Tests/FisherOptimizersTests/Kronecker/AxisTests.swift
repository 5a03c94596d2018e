import FisherLinearAlgebra
import FisherOptimizers
import Testing

/// Rows and columns that are scaled, and the mean of the first of them, follow their definitions on any number of threads.
@Suite struct AxisTests {
  static let shapes = [(1, 1), (3, 7), (8, 8), (9, 17), (16, 15), (40, 1000), (300, 257), (5, 0), (0, 5)]

  private static func matrix<S: KernelScalar>(_ rows: Int, _ columns: Int) -> Matrix<S> {
    Matrix(rows: rows, columns: columns) { S(($0 * 37 + $1 * 11) % 101 - 50) / 8 }
  }

  @Test(arguments: shapes) func scaling(rows: Int, columns: Int) {
    check(Float.self)
    check(Double.self)
    func check<S: KernelScalar>(_: S.Type) {
      let x: Matrix<S> = Self.matrix(rows, columns)
      let r = (0..<rows).map { S($0 % 7) - 2 }
      let c = (0..<columns).map { S($0 % 5) + 0.5 }
      for threads in [1, 2, 3] {
        var z = Matrix<S>(rows: rows, columns: columns)
        z.assign(x, scaling: .rows, by: r, threads: threads)
        #expect(z == Matrix(rows: rows, columns: columns) { r[$0] * x[$0, $1] })
        z.assign(x, scaling: .columns, by: c, threads: threads)
        #expect(z == Matrix(rows: rows, columns: columns) { x[$0, $1] * c[$1] })
      }
    }
  }

  /// A view with gaps is read as it lies.
  @Test func scalingOfAView() {
    let x: Matrix<Double> = Self.matrix(12, 20)
    let view = x[rows: 2..<9, columns: 3..<14]
    var z = Matrix<Double>(rows: 7, columns: 11)
    z.assign(view, scaling: .rows, by: (1...7).map { Double($0) }, threads: 2)
    #expect(z == Matrix(rows: 7, columns: 11) { Double($0 + 1) * x[$0 + 2, $1 + 3] })
  }

  /// The bits are those of a sum in double precision from the front; what is not among the first stays.
  @Test(arguments: shapes) func means(rows: Int, columns: Int) {
    check(Float.self)
    check(Double.self)
    func check<S: KernelScalar>(_: S.Type) {
      let x: Matrix<S> = Self.matrix(rows, columns)
      for (count, threads) in [(2, 1), (5, 2), (7, 3), (200, 2)] {
        if count <= columns {
          var z = x
          z.averageFirst(columns: count, threads: threads)
          let means = (0..<rows).map { i in (0..<count).reduce(0.0) { $0 + Double(x[i, $1]) } / Double(count)
          }
          #expect(z == Matrix(rows: rows, columns: columns) { $1 < count ? S(means[$0]) : x[$0, $1] })
        }
        if count <= rows {
          var z = x
          z.averageFirst(rows: count, threads: threads)
          let means = (0..<columns).map { j in
            (0..<count).reduce(0.0) { $0 + Double(x[$1, j]) } / Double(count)
          }
          #expect(z == Matrix(rows: rows, columns: columns) { $0 < count ? S(means[$1]) : x[$0, $1] })
        }
      }
    }
  }

  /// NaN and infinity are found wherever they are.
  @Test func finiteness() {
    let x: Matrix<Float> = Self.matrix(70, 1000)
    #expect(x.isFinite(threads: 2))
    for (i, j, value) in [(0, 0, Float.nan), (69, 999, .infinity), (33, 500, -.infinity)] {
      var y = x
      y[i, j] = value
      #expect(!y.isFinite(threads: 1) && !y.isFinite(threads: 2))
    }
  }
}
