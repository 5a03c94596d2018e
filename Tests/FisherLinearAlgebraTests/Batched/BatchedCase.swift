import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates

/// A stack of matrices between guard pages, and what a routine makes of them: one below the other, in a layout, or packed.
struct BatchedCase<S: KernelScalar> {
  let routine: BatchedRoutine
  let n: Int
  let matrices: [[[S]]]
  var absolute: S = 0
  var relative: S = 0
  var layout = Layout.rowMajor
  var outputLayout = Layout.rowMajor
  var isPacked = false
  var flush = Flush.rear
  var threads = 1

  init(_ routine: BatchedRoutine, _ n: Int, _ matrices: [[[S]]]) {
    self.routine = routine
    self.n = n
    self.matrices = matrices
  }

  /// `count` matrices that are far from singular.
  init(seed: UInt64, _ routine: BatchedRoutine, _ n: Int, count: Int) {
    var generator = Generator(seed: seed)
    self.init(routine, n, (0..<count).map { _ in routine.matrix(n, S.self, &generator) })
  }

  struct Result {
    let n: Int
    let isPacked: Bool
    let outcomes: [Int32]
    let logDeterminants: [S]
    let targets: GuardedMatrix<S>

    /// Element (r, c) of result `i`; below the diagonal if it is packed.
    func element(_ i: Int, _ r: Int, _ c: Int) -> S {
      isPacked ? targets.pointer[i, r * (r + 1) / 2 + c] : targets.pointer[i * n + r, c]
    }

    /// The bits of result `i`, or of its lower triangle.
    func bits(_ i: Int, lower: Bool = false) -> [UInt64] {
      (0..<n).flatMap { r in (0..<n).compactMap { c in !lower || c <= r ? element(i, r, c).bits : nil } }
    }
  }

  /// Runs the backend. What must not be read holds the sentinel.
  func run(_ backend: any Backend) -> Result {
    let count = matrices.count
    let (source, target) = operands()
    var outcomes = [Int32](repeating: -7, count: count)
    var logDeterminants = [S](repeating: -7, count: count)
    outcomes.withUnsafeMutableBufferPointer { outcomes in
      logDeterminants.withUnsafeMutableBufferPointer { logDeterminants in
        let (read, written) = (source.readOnly, target.pointer)
        let step = isPacked ? 1 : n
        let call = BatchedMatrices(
          source: MatrixPointer(
            read.base, rows: n, columns: n, rowStride: read.rowStride, columnStride: read.columnStride),
          sourceStride: step * read.rowStride,
          target: MutableMatrixPointer(
            written.base, rows: n, columns: n, rowStride: written.rowStride,
            columnStride: written.columnStride),
          targetStride: step * written.rowStride, isPacked: isPacked, count: count, absolute: absolute,
          relative: relative, logDeterminants: logDeterminants.baseAddress!,
          outcomes: outcomes.baseAddress!)
        if count > 0 { routine.run(call, on: backend, threads: threads) }
      }
    }
    return Result(
      n: n, isPacked: isPacked, outcomes: outcomes, logDeterminants: logDeterminants, targets: target)
  }

  private func operands() -> (source: GuardedMatrix<S>, target: GuardedMatrix<S>) {
    let count = matrices.count
    if isPacked {
      let triangle = n * (n + 1) / 2
      let places = (0..<n).flatMap { r in (0...r).map { (r, $0) } }
      let source = GuardedMatrix<S>(count, triangle, Layout(.rowMajor, padding: layout.padding), flush: flush)
      return (
        source.filled { i, e in matrices[i][places[e].0][places[e].1] },
        GuardedMatrix<S>(count, triangle, Layout(.rowMajor, padding: outputLayout.padding), flush: flush)
      )
    }
    let source = GuardedMatrix<S>(count * n, n, layout, flush: flush)
    return (
      source.filled { r, c in
        routine.isSymmetric && c > r % n ? .sentinel : matrices[r / n][r % n][c]
      }, GuardedMatrix<S>(count * n, n, outputLayout, flush: flush)
    )
  }
}
