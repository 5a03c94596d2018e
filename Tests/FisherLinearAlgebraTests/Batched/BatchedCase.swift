import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates

/// A stack of matrices between guard pages, and what a routine makes of them: one below the other, in a layout, or
/// interleaved triangles.
struct BatchedCase<S: KernelScalar> {
  let routine: BatchedRoutine
  let n: Int
  let matrices: [Matrix<S>]
  var absolute: S = 0
  var relative: S = 0
  var layout = Layout.rowMajor
  var outputLayout = Layout.rowMajor
  var isInterleaved = false
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
    let isInterleaved: Bool
    let outcomes: [Int32]
    let logDeterminants: [S]
    let targets: GuardedMatrix<S>

    /// Element (r, c) of result `i`; below the diagonal if it is interleaved.
    func element(_ i: Int, _ r: Int, _ c: Int) -> S {
      isInterleaved
        ? BatchOperand(interleaved: targets.pointer, n)[i, r, c] : targets.pointer[i * n + r, c]
    }

    /// Result `i`, unless it is interleaved.
    func matrix(_ i: Int) -> MatrixPointer<S> {
      precondition(!isInterleaved)
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
        let operand = { (matrices: MutableMatrixPointer<S>) in
          isInterleaved
            ? BatchOperand(interleaved: matrices, n) : BatchOperand(oneBelowTheOther: matrices, n)
        }
        let call = BatchedMatrices(
          source: operand(source.pointer), target: operand(target.pointer), count: count,
          absolute: absolute, relative: relative, logDeterminants: logDeterminants.baseAddress!,
          outcomes: outcomes.baseAddress!)
        if count > 0 { routine.run(call, on: backend, threads: threads) }
      }
    }
    return Result(
      n: n, isInterleaved: isInterleaved, outcomes: outcomes, logDeterminants: logDeterminants,
      targets: target)
  }

  private func operands() -> (source: GuardedMatrix<S>, target: GuardedMatrix<S>) {
    let count = matrices.count
    if isInterleaved {
      let source = interleavedMemory(layout)
      let operand = BatchOperand(interleaved: source.pointer, n)
      for i in 0..<count { for r in 0..<n { for c in 0...r { operand[i, r, c] = matrices[i][r, c] } } }
      return (source, interleavedMemory(outputLayout))
    }
    let source = GuardedMatrix<S>(count * n, n, layout, flush: flush)
    stack(matrices, in: source.pointer, only: routine.isSymmetric ? .lower : nil)
    return (source, GuardedMatrix<S>(count * n, n, outputLayout, flush: flush))
  }
}

extension BatchedCase {
  /// Room for the triangles, with gaps between the lines.
  private func interleavedMemory(_ layout: Layout) -> GuardedMatrix<S> {
    let width = BatchOperand<S>.width
    return GuardedMatrix(
      (matrices.count + width - 1) / width, n * (n + 1) / 2 * width,
      Layout(.rowMajor, padding: layout.padding), flush: flush)
  }
}

extension BatchOperand {
  /// Matrices of order n one below the other.
  init(oneBelowTheOther matrices: MutableMatrixPointer<S>, _ n: Int, columns: Int? = nil) {
    self.init(
      MutableMatrixPointer(
        matrices.base, rows: n, columns: columns ?? n, rowStride: matrices.rowStride,
        columnStride: matrices.columnStride), stride: n * matrices.rowStride)
  }

  /// Triangles of order n, a row for each ``width`` of them.
  init(interleaved lines: MutableMatrixPointer<S>, _ n: Int) {
    self.init(lines.base, rows: n, columns: n, stride: lines.rowStride, .interleavedTriangles)
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
  let n = result.n
  return (0..<n).flatMap { r in (0..<(lower ? r + 1 : n)).map { result.element(i, r, $0).bits } }
}
