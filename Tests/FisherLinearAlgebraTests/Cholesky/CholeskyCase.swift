import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates

/// One factorization or inversion with operands between guard pages. The source's other triangle holds the sentinel,
/// because it must not be read, and so does the target's, because it must not be written.
struct CholeskyCase<S: KernelScalar>: CustomStringConvertible {
  let seed: UInt64
  let matrix: Matrix<S>
  let kind: DefiniteKind
  let triangle: Triangle
  let source, target: GuardedMatrix<S>
  var absolute: S = 0
  var relative: S = 0
  var correction: PivotCorrection<S>?
  var threads: Int

  var order: Int { matrix.rows }

  /// Layouts and threads are drawn from the seed, and so is the triangle unless it is given.
  init(seed: UInt64, _ n: Int, _ kind: DefiniteKind = .random, _ triangle: Triangle? = nil) {
    var generator = Generator(seed: seed)
    self.init(seed: seed, kind.matrix(n, S.self, &generator), kind, triangle)
  }

  init(seed: UInt64, _ matrix: Matrix<S>, _ kind: DefiniteKind = .random, _ triangle: Triangle? = nil) {
    var generator = Generator(seed: ~seed)
    (self.seed, self.matrix, self.kind) = (seed, matrix, kind)
    let drawn = generator.pick(Triangle.allCases)
    self.triangle = triangle ?? drawn
    threads = generator.pick(1...3)
    let (n, flush) = (matrix.rows, generator.pick(Flush.allCases))
    source = GuardedMatrix<S>(
      n, n, generator.pick(Layout.inputs.filter { !$0.repeatsRows }), flush: flush)
    source.filled(with: matrix, only: self.triangle)
    target = GuardedMatrix<S>(n, n, generator.pick(Layout.outputs), flush: flush)
    source.buffer.label = description
    target.buffer.label = description
  }

  var call: Potrf<S> {
    Potrf(
      source: source.readOnly, target: target.pointer, triangle: triangle, absolute: absolute,
      relative: relative, correction: correction)
  }

  /// The target with the triangle that was written below the diagonal.
  var lower: MatrixPointer<S> {
    triangle == .lower ? target.readOnly : target.readOnly.transposed
  }

  /// What was written outside of the triangle, nil if nothing.
  var damage: String? {
    if let place = target.firstDamage() { return "writes into the gaps, element \(place)" }
    return target.firstDamage(outside: triangle).map {
      "writes (\($0.row), \($0.column)) of the other triangle"
    }
  }

  /// LAPACK's ratio of the factor.
  var factorRatio: Double { Ratio.cholesky(matrix, lower) }

  /// LAPACK's ratio of the inverse.
  var inverseRatio: Double { Ratio.inverse(matrix, lower, .symmetric) }

  var description: String {
    "FISHER_SEED=\(seed) \(S.self) \(kind) n \(order) \(triangle) A \(source.layout) to \(target.layout) "
      + "threads \(threads)"
  }
}

/// The shapes of all cases: every n up to 70 with every kind and both triangles, and orders around the blocks of the
/// kernels with every kind. Plain loops have no blocks.
struct CholeskyShape {
  let n: Int
  let kind: DefiniteKind
  let triangle: Triangle

  static let blocks = [95, 96, 97, 127, 128, 129, 191, 192, 193, 255, 256, 257, 319, 320, 321]
  static let large = [383, 384, 385, 511, 512, 513, 600]

  static func all(for backend: any Backend) -> [(shape: CholeskyShape, seed: UInt64)] {
    var shapes = (0...70).flatMap { n in
      DefiniteKind.allCases.flatMap { kind in
        Triangle.allCases.map { CholeskyShape(n: n, kind: kind, triangle: $0) }
      }
    }
    let isNaive = backend is ReferenceBackend
    for (i, n) in (isNaive ? [129, 257] : blocks + large).enumerated() {
      // Beyond the panels that a sweep holds, the kinds take turns: all of them occur at neighbouring orders.
      for (j, kind) in DefiniteKind.allCases.enumerated() where n < 260 || (i + j) % 3 == 0 {
        shapes.append(
          CholeskyShape(n: n, kind: kind, triangle: (i + j / 3) % 2 == 0 ? .lower : .upper))
      }
    }
    return Array(zip(shapes, Seed.cases(shapes.count)))
  }
}
