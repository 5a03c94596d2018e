import FisherLinearAlgebra
import FisherTestSupport

/// Matrices on both sides of a gradient, and the sums that the definitions make of them in double precision.
struct KroneckerCase<S: KernelScalar> {
  let seed: UInt64
  let m: Int
  let n: Int
  let left, right, gradient: Matrix<S>

  /// Uniform matrices; with `triangular`, lower triangles with a dominant diagonal and NaN above.
  init(seed: UInt64, _ m: Int, _ n: Int, triangular: Bool = false) {
    var generator = Generator(seed: seed)
    func side(_ n: Int) -> Matrix<S> {
      Matrix(rows: n, columns: n) { i, j in
        let x: S = generator.uniform()
        if !triangular { return x }
        return j > i ? .nan : i == j ? 1 + x.magnitude : x / S(n)
      }
    }
    (self.seed, self.m, self.n) = (seed, m, n)
    (left, right) = (side(m), side(n))
    gradient = Matrix(rows: m, columns: n) { _, _ in generator.uniform() }
  }

  /// Row (i, j) of the explicit Kronecker matrix times vec G: Σ A(i, p)·B(q, j)·G(p, q), and the sum of magnitudes.
  func product(
    _ i: Int, _ j: Int, _ a: (Int, Int) -> Double, _ b: (Int, Int) -> Double, _ g: (Int, Int) -> Double
  ) -> (sum: Double, size: Double) {
    var (sum, size) = (0.0, 0.0)
    for p in 0..<m {
      for q in 0..<n {
        let term = a(i, p) * b(q, j) * g(p, q)
        sum += term
        size += term.magnitude
      }
    }
    return (sum, size)
  }

  /// All of them; of large ones A·G is formed first, for m·n·(m + n) terms in place of (m·n)².
  func products(
    _ a: (Int, Int) -> Double, _ b: (Int, Int) -> Double, _ g: (Int, Int) -> Double
  ) -> (sum: [[Double]], size: [[Double]]) {
    if m * n <= 300 {
      let all = (0..<m).map { i in (0..<n).map { j in product(i, j, a, b, g) } }
      return (all.map { $0.map(\.sum) }, all.map { $0.map(\.size) })
    }
    let zeros = [[Double]](repeating: [Double](repeating: 0, count: n), count: m)
    var (inner, innerSize, sum, size) = (zeros, zeros, zeros, zeros)
    for i in 0..<m {
      for p in 0..<m {
        let x = a(i, p)
        for q in 0..<n {
          let term = x * g(p, q)
          inner[i][q] += term
          innerSize[i][q] += term.magnitude
        }
      }
      for q in 0..<n {
        for j in 0..<n {
          let y = b(q, j)
          sum[i][j] += inner[i][q] * y
          size[i][j] += innerSize[i][q] * y.magnitude
        }
      }
    }
    return (sum, size)
  }

  var leftElement: (Int, Int) -> Double { { Double(left[$0, $1]) } }
  var rightElement: (Int, Int) -> Double { { Double(right[$0, $1]) } }
  var gradientElement: (Int, Int) -> Double { { Double(gradient[$0, $1]) } }

  /// Every small shape, and one beyond a panel.
  static var shapes: [(Int, Int)] {
    (0...6).flatMap { m in (0...6).map { (m, $0) } } + [(17, 9), (9, 33), (1050, 3), (2, 1040)]
  }

  /// The largest difference in units of (m + n + 4)·u·size.
  func errors(
    _ got: Matrix<S>, _ expected: (sum: [[Double]], size: [[Double]]), roundings: Int = 4
  ) -> Double {
    var worst = 0.0
    for i in 0..<m {
      for j in 0..<n {
        let error = (Double(got[i, j]) - expected.sum[i][j]).magnitude
        if error == 0 { continue }
        let ratio = error / (Double(m + n + roundings) * S.unitRoundoff * expected.size[i][j])
        worst = ratio.isNaN ? .infinity : max(worst, ratio)
      }
    }
    return worst
  }
}
