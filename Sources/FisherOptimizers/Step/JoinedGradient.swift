package import FisherLinearAlgebra
import FisherRuntime

/// The gradient [D b] of a layer's weight and bias, which are never joined, and what one pass over it finds.
package struct JoinedGradient<S: KernelScalar> {
  /// The weight's gradient, a vector in each row.
  package let D: Matrix<S>
  /// The bias's, one element for each row.
  package let b: Matrix<S>?
  /// bᵀ·D; empty without a bias.
  package private(set) var border: [S] = []
  /// bᵀ·b
  package private(set) var corner: S = 0
  /// ‖[D b]‖², rounded; infinite if it is too large for the element type.
  package private(set) var squaredNorm: S = 0

  /// Rows of a task. A constant, so that sums do not depend on the threads.
  private static var taskRows: Int { 32 }

  /// One pass over the gradient, without a momentum.
  package init(_ D: Matrix<S>, _ b: Matrix<S>?, threads: Int) {
    var none = Matrix<S>(rows: 0, columns: 0)
    self.init(D, b, momentum: nil, into: &none, threads: threads)
  }

  /// One pass over the gradient, which moves a momentum too: M ← μ·former + [D b].
  ///
  /// - Parameters:
  ///   - former: the former M; zeros if it is missing.
  ///   - M: the target, written in full: a column more than D if there is a bias.
  package init(
    _ D: Matrix<S>, _ b: Matrix<S>?, μ: S, former: Matrix<S>?, into M: inout Matrix<S>, threads: Int
  ) {
    self.init(D, b, momentum: (μ, former?.compacted()), into: &M, threads: threads)
  }

  @specialized(where S == Float) @specialized(where S == Double)
  private init(
    _ D: Matrix<S>, _ b: Matrix<S>?, momentum: (μ: S, former: Matrix<S>?)?, into M: inout Matrix<S>,
    threads: Int
  ) {
    let (D, b) = (D.compacted(), b?.compacted())
    (self.D, self.b) = (D, b)
    let (rows, width) = (D.rows, D.columns)
    let tasks = (rows + Self.taskRows - 1) / Self.taskRows
    // A row of the table for each task: bᵀ·D, bᵀ·b, and the squares.
    let entries = (b == nil ? 0 : width) + 2
    var table = Matrix<S>(rows: tasks, columns: entries)
    let pass = D.withPointer { D in
      RowPass(
        D: D.base, b: b?.withPointer { $0.base }, width: width, μ: momentum?.μ ?? 0,
        former: momentum?.former?.withPointer { $0.base },
        M: momentum == nil ? nil : M.withMutablePointer(discarding: true) { $0.base })
    }
    table.withMutablePointer { table in
      let sums = table.base
      Parallel.perform(tasks, threads: Parallel.elementwise(rows * width, threads: threads)) { task in
        for i in task * Self.taskRows..<min(rows, (task + 1) * Self.taskRows) {
          pass.run(row: i, sums + task * entries, entries - 2)
        }
      }
    }
    withExtendedLifetime((D, b, momentum, M)) {}
    add(table)
  }

  /// Adds the rows of the table, in their order.
  private mutating func add(_ table: Matrix<S>) {
    let count = table.columns - 2
    border = [S](repeating: 0, count: count)
    table.withSpan { table in
      for start in stride(from: 0, to: table.count, by: count + 2) {
        for j in border.indices { border[j] += table[start + j] }
        corner += table[start + count]
        squaredNorm += table[start + count + 1]
      }
    }
    squaredNorm += corner
  }
}

/// What is done with one row, through pointers to memory that the caller keeps.
private struct RowPass<S: KernelScalar> {
  let D: UnsafePointer<S>
  let b: UnsafePointer<S>?
  let width: Int
  let μ: S
  let former: UnsafePointer<S>?
  let M: UnsafeMutablePointer<S>?

  /// - Parameter sums: those of the border, of which there are `borders`, and of the two squares.
  @inline(__always)
  func run(row i: Int, _ sums: UnsafeMutablePointer<S>, _ borders: Int) {
    let d = D + i * width
    let columns = width + (b == nil ? 0 : 1)
    if let M { move(d, former.map { $0 + i * columns }, M + i * columns) }
    var squares = Lanes<S>.zero
    var j = 0
    while j + 8 <= width {
      let x: Lanes<S> = load(d + j)
      squares += x * x
      j += 8
    }
    sums[borders + 1] += squares.sum()
    while j < width {
      sums[borders + 1] += d[j] * d[j]
      j += 1
    }
    guard let b else { return }
    let bias = b[i]
    if let M { M[i * columns + width] = μ * (former.map { $0[i * columns + width] } ?? 0) + bias }
    for j in 0..<width { sums[j] += bias * d[j] }
    sums[borders] += bias * bias
  }

  /// m ← μ·f + d
  @inline(__always)
  private func move(_ d: UnsafePointer<S>, _ f: UnsafePointer<S>?, _ m: UnsafeMutablePointer<S>) {
    guard let f else { return m.update(from: d, count: width) }
    for j in 0..<width { m[j] = μ * f[j] + d[j] }
  }
}
