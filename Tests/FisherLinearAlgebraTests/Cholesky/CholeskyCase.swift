import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates

/// One factorization or inversion with operands between guard pages. The source's other triangle holds the sentinel,
/// because it must not be read, and so does the target's, because it must not be written.
struct CholeskyCase<S: KernelScalar>: CustomStringConvertible {
  let seed: UInt64
  let matrix: [[S]]
  let kind: DefiniteKind
  let triangle: Triangle
  let source, target: GuardedMatrix<S>
  var absolute: S = 0
  var relative: S = 0
  var correction: PivotCorrection<S>?
  var threads: Int

  var order: Int { matrix.count }

  /// Triangle, layouts and threads are drawn from the seed.
  init(seed: UInt64, _ n: Int, _ kind: DefiniteKind = .random) {
    var generator = Generator(seed: seed)
    self.init(seed: seed, kind.matrix(n, S.self, &generator), kind)
  }

  init(seed: UInt64, _ matrix: [[S]], _ kind: DefiniteKind = .random) {
    var generator = Generator(seed: ~seed)
    (self.seed, self.matrix, self.kind) = (seed, matrix, kind)
    let chosen = generator.pick(Triangle.allCases)
    triangle = chosen
    threads = generator.pick(1...3)
    let (n, flush) = (matrix.count, generator.pick(Flush.allCases))
    source = GuardedMatrix<S>(
      n, n, generator.pick(Layout.inputs.filter { !$0.repeatsRows }), flush: flush)
    source.filled { i, j in
      i == j || (j < i) == (chosen == .lower) ? matrix[i][j] : .sentinel
    }
    target = GuardedMatrix<S>(n, n, generator.pick(Layout.outputs), flush: flush)
    source.buffer.label = description
    target.buffer.label = description
  }

  var call: Potrf<S> {
    Potrf(
      source: source.readOnly, target: target.pointer, triangle: triangle, absolute: absolute,
      relative: relative, correction: correction)
  }

  /// Element (i, j) of the triangular factor L, zeros included.
  func lower(_ i: Int, _ j: Int) -> S {
    if j > i { return 0 }
    return triangle == .lower ? target.pointer[i, j] : target.pointer[j, i]
  }

  /// Element (i, j) of a symmetric result.
  func symmetric(_ i: Int, _ j: Int) -> S {
    (j <= i) == (triangle == .lower) ? target.pointer[i, j] : target.pointer[j, i]
  }

  /// What was written outside of the triangle, nil if nothing.
  var damage: String? {
    if let place = target.firstDamage() { return "writes into the gaps, element \(place)" }
    for i in 0..<order {
      for j in 0..<order where i != j && (j < i) != (triangle == .lower) {
        if target.pointer[i, j].bits != S.sentinel.bits { return "writes (\(i), \(j)) of the other triangle" }
      }
    }
    return nil
  }

  /// LAPACK's ratio ‖A − L·Lᵀ‖ / (n·‖A‖·ε) in the 1-norm.
  var factorRatio: Double {
    let n = order
    if n == 0 { return 0 }
    // A power of two near the largest element: products of factors must not overflow.
    let rows = (0..<n).map { i in (0...i).map { Double(lower(i, $0)) } }
    var (residual, norm) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
    for i in 0..<n {
      for j in 0...i {
        var sum = Double(matrix[i][j])
        for p in 0...j { sum -= rows[i][p] * rows[j][p] }
        for k in Set([i, j]) where true {
          residual[k] += sum.magnitude
          norm[k] += Double(matrix[i][j]).magnitude
        }
      }
    }
    if residual.contains(where: \.isNaN) { return .infinity }
    return residual.max()! / (Double(n) * norm.max()! * Double(S.ulpOfOne))
  }

  var description: String {
    "FISHER_SEED=\(seed) \(S.self) \(kind) n \(order) \(triangle) A \(source.layout) to \(target.layout) "
      + "threads \(threads)"
  }

  /// Every n up to 70 with every kind, and orders around the blocks of the kernels.
  static func all() -> [CholeskyCase] {
    var shapes = (0...70).flatMap { n in DefiniteKind.allCases.map { (n, $0) } }
    shapes += [95, 127, 128, 129, 191, 192, 193].map { ($0, DefiniteKind.random) }
    shapes += [(255, .random), (256, .nearlySingular), (257, .random), (319, .graded), (320, .random)]
    shapes += [(321, .random), (385, .tiny), (511, .random), (513, .huge), (600, .random)]
    return zip(shapes, Seed.cases(shapes.count)).map { CholeskyCase(seed: $1, $0.0, $0.1) }
  }
}
