import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates

/// A stack of matrices between guard pages, and its inverses: one below the other, in a layout.
struct BatchedInverseCase<S: KernelScalar> {
  let n: Int
  let matrices: [[[S]]]
  var absolute: S = 0
  var relative: S = 0
  var layout = Layout.rowMajor
  var outputLayout = Layout.rowMajor
  var flush = Flush.rear
  var threads = 1

  init(_ n: Int, _ matrices: [[[S]]]) {
    self.n = n
    self.matrices = matrices
  }

  init(seed: UInt64, _ n: Int, count: Int, _ kind: DefiniteKind = .random) {
    var generator = Generator(seed: seed)
    self.init(n, (0..<count).map { _ in kind.matrix(n, S.self, &generator) })
  }

  struct Result {
    let outcomes: [Int32]
    let logDeterminants: [S]
    let inverses: GuardedMatrix<S>

    func inverse(_ i: Int, _ n: Int) -> (Int, Int) -> S {
      { r, c in inverses.pointer[i * n + r, c] }
    }

    func bits(_ i: Int, _ n: Int) -> [UInt64] {
      (0..<n * n).map { inverses.pointer[i * n + $0 / n, $0 % n].bits }
    }
  }

  /// Runs the backend; the sources' upper triangles hold the sentinel, because they must not be read.
  func run(_ backend: any Backend) -> Result {
    let count = matrices.count
    let source = GuardedMatrix<S>(count * n, n, layout, flush: flush).filled { r, c in
      c > r % n ? .sentinel : matrices[r / n][r % n][c]
    }
    let target = GuardedMatrix<S>(count * n, n, outputLayout, flush: flush)
    var outcomes = [Int32](repeating: -7, count: count)
    var logDeterminants = [S](repeating: -7, count: count)
    outcomes.withUnsafeMutableBufferPointer { outcomes in
      logDeterminants.withUnsafeMutableBufferPointer { logDeterminants in
        let call = BatchedInverse(
          source: source.readOnly.block(0, 0, rows: n, columns: n),
          sourceStride: n * source.pointer.rowStride,
          target: target.pointer.block(0, 0, rows: n, columns: n), targetStride: n * target.pointer.rowStride,
          count: count, absolute: absolute, relative: relative,
          logDeterminants: logDeterminants.baseAddress!, outcomes: outcomes.baseAddress!)
        if count > 0 { backend.invertPositiveDefinite(call, threads: threads) }
      }
    }
    return Result(outcomes: outcomes, logDeterminants: logDeterminants, inverses: target)
  }
}
