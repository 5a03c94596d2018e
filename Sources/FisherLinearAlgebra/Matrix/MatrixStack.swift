import FisherRuntime

/// `count` matrices of one shape, for batched operations: one below the other in one matrix, or one repeated.
///
/// Value semantics and views as in ``Matrix``: a stack is made from a matrix, transposed and taken apart without
/// copying, and `stack[i]` is mutated in place.
public struct MatrixStack<Scalar: KernelScalar>: Sendable {
  /// All matrices, one below the other; the only one if it is repeated.
  private var all: Matrix<Scalar>
  /// The number of matrices.
  public let count: Int
  /// The rows of each before transposition.
  private let storedRows: Int
  private var isRepeated: Bool
  private var isTransposed = false

  /// `count` matrices of zeros.
  public init(count: Int, rows: Int, columns: Int) {
    require(count >= 0 && rows >= 0, "MatrixStack: \(count) matrices of \(rows)×\(columns) are not a shape")
    let (height, overflow) = count.multipliedReportingOverflow(by: rows)
    require(!overflow, "MatrixStack: \(count) matrices of \(rows)×\(columns) do not fit the address space")
    self.init(splitting: Matrix(rows: height, columns: columns), count: count, rowsOfEach: rows)
  }

  /// The matrices that lie one below the other in `matrix`, without copying; traps unless `count` divides its rows.
  public init(splitting matrix: Matrix<Scalar>, count: Int) {
    require(
      count > 0 && matrix.rows % count == 0,
      "MatrixStack: a matrix of \(matrix.rows)×\(matrix.columns) cannot be split into \(count) of equal height"
    )
    self.init(splitting: matrix, count: count, rowsOfEach: matrix.rows / count)
  }

  /// `count` times the same matrix, stored once. Mutating one of them makes copies of all.
  public init(repeating matrix: Matrix<Scalar>, count: Int) {
    require(count >= 0, "MatrixStack: \(count) matrices of \(matrix.rows)×\(matrix.columns) are not a shape")
    all = matrix
    self.count = count
    storedRows = matrix.rows
    isRepeated = true
  }

  private init(splitting matrix: Matrix<Scalar>, count: Int, rowsOfEach: Int) {
    all = matrix
    self.count = count
    storedRows = rowsOfEach
    isRepeated = false
  }

  /// All matrices, one below the other; without copying unless the stack is transposed or repeats one matrix.
  public var stacked: Matrix<Scalar> {
    if !isTransposed && !isRepeated { return all }
    var result = Matrix<Scalar>(rows: count * rows, columns: columns)
    for i in 0..<count { result[rows: i * rows..<(i + 1) * rows, columns: 0...] = self[i] }
    return result
  }

  /// The number of rows of each matrix.
  public var rows: Int { isTransposed ? all.columns : storedRows }

  /// The number of columns of each matrix.
  public var columns: Int { isTransposed ? storedRows : all.columns }

  /// The stack of the transposed matrices, without copying. Can be mutated in place.
  public var transposed: MatrixStack {
    get {
      var result = self
      result.isTransposed.toggle()
      return result
    }
    _modify {
      isTransposed.toggle()
      defer { isTransposed.toggle() }
      yield &self
    }
  }

  /// Matrix `i`, from 0, without copying; it can be mutated in place, but keeps its shape.
  public subscript(i: Int) -> Matrix<Scalar> {
    get {
      let block = all[block: rowsOf(i), 0..<all.columns]
      return isTransposed ? block.transposed : block
    }
    _modify {
      separate()
      if isTransposed {
        yield &all[block: rowsOf(i), 0..<all.columns].transposed
      } else {
        yield &all[block: rowsOf(i), 0..<all.columns]
      }
    }
  }

  private func rowsOf(_ i: Int) -> Range<Int> {
    require(i >= 0 && i < count, "MatrixStack: there is no matrix \(i) among \(count) of \(rows)×\(columns)")
    return isRepeated ? 0..<storedRows : i * storedRows..<(i + 1) * storedRows
  }

  /// Gives each of the repetitions its own storage.
  private mutating func separate() {
    guard isRepeated else { return }
    let (transposed, original) = (isTransposed, all)
    self = MatrixStack(count: count, rows: storedRows, columns: all.columns)
    for i in 0..<count { self[i] = original }
    isTransposed = transposed
  }

  /// The distance in elements between the first elements of two neighbours; 0 if all are the same.
  @inline(__always)
  var stride: Int { isRepeated ? 0 : storedRows &* all.rowStride }

  /// Lends the first matrix, which lies at ``stride`` from the next. With a count of 0 it must not be read.
  @inline(__always)
  func withFirst<R>(_ body: (MatrixPointer<Scalar>) -> R) -> R {
    all.withPointer { all in
      let first = all.block(0, 0, rows: storedRows, columns: all.columns)
      return body(isTransposed ? first.transposed : first)
    }
  }

  /// Lends the first matrix to be written, with the stride and the count.
  @inline(__always)
  mutating func withMutableFirst<R>(
    _ body: (_ first: MutableMatrixPointer<Scalar>, _ stride: Int, _ count: Int) -> R
  ) -> R {
    separate()
    let (rows, count, isTransposed) = (storedRows, count, isTransposed)
    return all.withMutablePointer { all in
      let first = all.block(0, 0, rows: rows, columns: all.columns)
      return body(isTransposed ? first.transposed : first, rows &* all.rowStride, count)
    }
  }
}
