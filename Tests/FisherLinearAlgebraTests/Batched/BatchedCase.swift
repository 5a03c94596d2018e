import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates

/// A stack of matrices between guard pages, and what a routine makes of them: one below the other, in a layout, or packed.
struct BatchedCase<S: KernelScalar> {
  let routine: BatchedRoutine
  let n: Int
  let matrices: [Matrix<S>]
  var absolute: S = 0
  var relative: S = 0
  var layout = Layout.rowMajor
  var outputLayout = Layout.rowMajor
  var isPacked = false
  var flush = Flush.rear
  var threads = 1

  init(_ routine: BatchedRoutine, _ n: Int, _ matrices: [Matrix<S>]) {
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

    /// Result `i`, unless it is packed.
    func matrix(_ i: Int) -> MatrixPointer<S> {
      precondition(!isPacked)
      return targets.readOnly.block(i * n, 0, rows: n, columns: n)
    }

    /// The bits of result `i`, or of its lower triangle.
    func bits(_ i: Int, lower: Bool = false) -> [UInt64] { resultBits(self, i, lower: lower) }
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
        source.filled { i, e in matrices[i][places[e].0, places[e].1] },
        GuardedMatrix<S>(count, triangle, Layout(.rowMajor, padding: outputLayout.padding), flush: flush)
      )
    }
    let source = GuardedMatrix<S>(count * n, n, layout, flush: flush)
    stack(matrices, in: source.pointer, only: routine.isSymmetric ? .lower : nil)
    return (source, GuardedMatrix<S>(count * n, n, outputLayout, flush: flush))
  }
}

/// Copies matrices, or one triangle of each, one below the other.
@specialized(where S == Float)
@specialized(where S == Double)
func stack<S: KernelScalar>(
  _ matrices: [Matrix<S>], in target: MutableMatrixPointer<S>, only triangle: Triangle? = nil
) {
  for (k, matrix) in matrices.enumerated() {
    matrix.withPointer { a in
      for i in 0..<a.rows {
        for j in 0..<(triangle == .lower ? i + 1 : a.columns) { target[k * a.rows + i, j] = a[i, j] }
      }
    }
  }
}

@specialized(where S == Float)
@specialized(where S == Double)
private func resultBits<S: KernelScalar>(_ result: BatchedCase<S>.Result, _ i: Int, lower: Bool) -> [UInt64] {
  let (n, targets) = (result.n, result.targets.pointer)
  var bits: [UInt64] = []
  for r in 0..<n {
    for c in 0..<(lower ? r + 1 : n) {
      bits.append((result.isPacked ? targets[i, r * (r + 1) / 2 + c] : targets[i * n + r, c]).bits)
    }
  }
  return bits
}
