import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// Solutions by Cholesky factors: a residual as LAPACK's testers want it, and bits that depend on one system alone.
struct BatchedSolves: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let orders = BatchedResiduals.orders
    for (n, seed) in zip(orders, Seed.cases(orders.count)) where !found.isFull {
      // More than one group for small n, and a last one that is not full.
      let count = n <= 20 ? 19 : 2
      for m in [1, 5, 8] {
        let test = SolveCase<S>(seed: seed, n, m, count: count)
        let solutions = test.run(backend)
        for i in 0..<count {
          let ratio = test.residualRatio(i, solutions)
          found.expect(ratio < 30, "\(test.place(backend)), system \(i): residual ratio \(ratio)")
        }
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func residuals(_ subject: Subject) { expect(subject) }
}

struct BatchedSolveBits: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (n, seed) in zip([1, 2, 3, 9, 17], Seed.cases(5)) where !found.isFull {
      for m in [1, 4, 9] {
        var test = SolveCase<S>(seed: seed, n, m, count: 21)
        let expected = test.run(backend)
        for threads in [2, 3, 7] {
          test.threads = threads
          found.expect(
            test.run(backend).elementBits() == expected.elementBits(),
            "\(test.place(backend)): other bits with \(threads) threads")
        }
        for (k, layout) in Layout.outputs.enumerated() {
          (test.layout, test.rightLayout) = (layout, Layout.outputs[(3 * k + n) % 8])
          test.isInterleaved = k % 2 == 1
          test.flush = Flush.allCases[(k + n) % 2]
          let got = test.run(backend)
          found.expect(got.elementBits() == expected.elementBits(), "\(test.place(backend)): other bits")
          found.expect(got.firstDamage() == nil, "\(test.place(backend)): writes into the gaps")
        }
        for i in [0, 7, 20] {
          let alone = test.alone(i).run(backend).elementBits()
          let part = expected.elementBits()[i * n * m..<(i + 1) * n * m]
          found.expect(alone == Array(part), "\(test.place(backend)): system \(i) alone has other bits")
        }
      }
    }
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func bits(_ subject: Subject) { expect(subject) }
}

/// Factors with sentinels above the diagonal, and right-hand sides.
struct SolveCase<S: KernelScalar> {
  let seed: UInt64
  let n: Int
  let m: Int
  var factors: [Matrix<S>]
  var right: [Matrix<S>]
  var layout = Layout.rowMajor
  var rightLayout = Layout.rowMajor
  var isInterleaved = false
  var flush = Flush.rear
  var threads = 1

  init(seed: UInt64, _ n: Int, _ m: Int, count: Int) {
    (self.seed, self.n, self.m) = (seed, n, m)
    var generator = Generator(seed: seed)
    factors = (0..<count).map { _ in
      Matrix(rows: n, columns: n) { r, c in
        let x: S = generator.uniform()
        return c > r ? .sentinel : c == r ? 1 + x.magnitude : x / S(n)
      }
    }
    right = (0..<count).map { _ in Matrix(rows: n, columns: m) { _, _ in generator.uniform() } }
  }

  func alone(_ i: Int) -> SolveCase {
    var one = self
    (one.factors, one.right) = ([factors[i]], [right[i]])
    return one
  }

  func run(_ backend: any Backend) -> GuardedMatrix<S> {
    let count = factors.count
    let width = BatchOperand<S>.width
    let l =
      isInterleaved
      ? GuardedMatrix<S>((count + width - 1) / width, n * (n + 1) / 2 * width, flush: flush)
      : GuardedMatrix<S>(count * n, n, layout, flush: flush)
    let factor =
      isInterleaved
      ? BatchOperand(interleaved: l.pointer, n) : BatchOperand(oneBelowTheOther: l.pointer, n)
    for i in 0..<count { for r in 0..<n { for c in 0..<n { factor[i, r, c] = factors[i][r, c] } } }
    let b = GuardedMatrix<S>(count * n, m, rightLayout, flush: flush)
    stack(right, in: b.pointer)
    let call = BatchedSolve(
      factor: factor, right: BatchOperand(oneBelowTheOther: b.pointer, n, columns: m), count: count)
    backend.solveCholesky(call, threads: threads)
    return b
  }

  /// ‖B − L·Lᵀ·X‖ / (‖L·Lᵀ‖·‖X‖·n·ε) in the 1-norm, the largest of all columns.
  func residualRatio(_ i: Int, _ solutions: GuardedMatrix<S>) -> Double {
    let l = factors[i].withPointer { Ratio.double($0, .lower) }
    let a = l.multiplied(by: l.transposed)
    let x = Ratio.double(solutions.readOnly.block(i * n, 0, rows: n, columns: m))
    let b = Ratio.double(right[i])
    let norm = Ratio.norm(a)
    return (0..<m).map { c in
      let residual = Ratio.residual(b.column(c), a, x.column(c))
      return Ratio.quotient(residual, n, norm * Ratio.norm(x.column(c)), S.self)
    }.max() ?? 0
  }

  func place(_ backend: any Backend) -> String {
    "\(backend.name) \(S.self) n \(n), m \(m), \(layout) \(rightLayout) interleaved \(isInterleaved), seed \(seed)"
  }
}
