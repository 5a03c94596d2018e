import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates

/// One call of trsm or trmm with operands between guard pages: what must not be read holds the sentinel.
struct TriangularCase<S: KernelScalar>: CustomStringConvertible {
  let seed: UInt64
  let side: Side
  let triangle: Triangle
  let unitDiagonal: Bool
  let alpha: S
  let threads: Int
  /// T as it is meant: zeros and ones where the routine reads nothing.
  let full: GuardedMatrix<S>
  let a, old, b: GuardedMatrix<S>

  /// Everything but the shape is drawn from the seed.
  init(seed: UInt64, m: Int, n: Int, _ side: Side, _ triangle: Triangle) {
    var generator = Generator(seed: seed ^ (side == .left ? 0 : 1 << 40) ^ (triangle == .lower ? 0 : 1 << 41))
    (self.seed, self.side, self.triangle) = (seed, side, triangle)
    unitDiagonal = generator.pick([false, false, true])
    alpha = generator.pick([1, 1, -1, 0.7, 0])
    threads = generator.pick(1...3)
    let order = side == .left ? m : n
    let scale = S(1 / Double(max(order, 1)).squareRoot())
    let (isUnit, isLower, isRead) = (unitDiagonal, triangle == .lower, alpha != 0)
    full = GuardedMatrix<S>(order, order).filled(.uniform, &generator)
    full.filled { [full] i, j in
      if i == j { return isUnit ? 1 : full.pointer[i, i] + (full.pointer[i, i] < 0 ? -1 : 1) }
      return (j < i) == isLower ? scale * full.pointer[i, j] : 0
    }
    let flush = generator.pick(Flush.allCases)
    a = GuardedMatrix<S>(order, order, generator.pick(Layout.inputs.filter { !$0.repeatsRows }), flush: flush)
    a.filled { [full] i, j in
      let isUsed = isRead && (i == j ? !isUnit : (j < i) == isLower)
      return isUsed ? full.pointer[i, j] : .sentinel
    }
    old = GuardedMatrix<S>(m, n).filled(isRead ? .uniform : .poison, &generator)
    b = GuardedMatrix<S>(m, n, generator.pick(Layout.outputs), flush: flush)
    b.filled { [old] i, j in old.pointer[i, j] }
    a.buffer.label = description
    b.buffer.label = description
  }

  var call: Triangular<S> {
    Triangular(
      side: side, triangle: triangle, unitDiagonal: unitDiagonal, alpha: alpha, a: a.readOnly, b: b.pointer)
  }

  /// T·B, or B·T with T on the right.
  func product(_ b: MatrixPointer<S>) -> Oracle {
    side == .left ? Oracle(full.readOnly, b) : Oracle(b, full.readOnly)
  }

  var description: String {
    "FISHER_SEED=\(seed) \(S.self) \(b.rows)×\(b.columns) \(side) \(triangle) unit \(unitDiagonal) α \(alpha) "
      + "T \(a.layout) B \(b.layout) threads \(threads)"
  }

  /// Both routines, by name.
  static var routines: [(name: String, run: (any Backend, Triangular<S>, _ threads: Int) -> Void)] {
    [("trsm", { $0.trsm($1, threads: $2) }), ("trmm", { $0.trmm($1, threads: $2) })]
  }

  /// Every small order, orders around the blocks of the kernels, narrow and wide.
  static func all(large: Bool = true) -> [TriangularCase] {
    var shapes: [(Int, Int)] = []
    for n in 0...70 { shapes += [(n, [1, 2, 5, 17, 33][n % 5]), (n, [40, 3, 64][n % 3])] }
    if large {
      shapes += [(95, 17), (96, 5), (97, 33), (127, 40), (128, 9), (129, 1), (191, 3), (192, 16), (193, 7)]
      shapes += [
        (200, 64), (255, 18), (256, 33), (257, 35), (300, 3), (385, 5), (511, 3), (512, 8), (513, 34),
      ]
      shapes += [(530, 2), (600, 1)]
    }
    return zip(shapes, Seed.cases(shapes.count)).flatMap { shape, seed in
      Triangle.allCases.flatMap { triangle in
        [
          TriangularCase(seed: seed, m: shape.0, n: shape.1, .left, triangle),
          TriangularCase(seed: seed, m: shape.1, n: shape.0, .right, triangle),
        ]
      }
    }
  }
}
