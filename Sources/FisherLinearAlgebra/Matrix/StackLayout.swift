import FisherRuntime

/// Where the elements of matrices over borrowed memory lie: element (i, j) of matrix m at `offset + m * matrixStride +
/// i * rowStride + j * columnStride`.
struct StackLayout {
  let count: Int
  let matrix: MatrixLayout
  let matrixStride: Int

  /// - Parameters: strides that are nil are those of matrices one below the other, row-major.
  init(
    _ count: Int, _ rows: Int, _ columns: Int, _ matrixStride: Int?, _ rowStride: Int?, _ columnStride: Int,
    _ offset: Int
  ) {
    require(
      count >= 0 && rows >= 0 && columns >= 0,
      "Matrix over borrowed memory: \(count) matrices of \(rows)×\(columns) are not a shape")
    self.count = count
    matrix = MatrixLayout(
      offset: offset, rows: rows, columns: columns, rowStride: rowStride ?? columns,
      columnStride: columnStride)
    self.matrixStride = matrixStride ?? rows &* matrix.rowStride
  }

  /// The sizes that are not 1, with their strides.
  private var axes: [(size: Int, stride: Int)] {
    [(count, matrixStride), (matrix.rows, matrix.rowStride), (matrix.columns, matrix.columnStride)]
      .filter { $0.0 != 1 }
  }

  private var isEmpty: Bool { count == 0 || matrix.count == 0 }

  private var description: String {
    """
    \(count == 1 ? "a matrix" : "\(count) matrices") of \(matrix.rows)×\(matrix.columns) with \
    \(count == 1 ? "" : "matrix stride \(matrixStride), ")row stride \(matrix.rowStride), column stride \
    \(matrix.columnStride) and offset \(matrix.offset)
    """
  }

  /// Traps unless all elements are among the first `size` of the memory.
  func requireWithin(_ size: Int) {
    if isEmpty { return }
    var (lowest, highest, overflows) = (matrix.offset, matrix.offset, false)
    for axis in axes {
      let (reach, isLarge) = (axis.size - 1).multipliedReportingOverflow(by: axis.stride)
      let end = reach < 0 ? lowest.addingReportingOverflow(reach) : highest.addingReportingOverflow(reach)
      if reach < 0 { lowest = end.partialValue } else { highest = end.partialValue }
      overflows = overflows || isLarge || end.overflow
    }
    require(
      !overflows && lowest >= 0 && highest < size,
      "Matrix over borrowed memory: \(description) does not lie in \(size) elements")
  }

  /// Traps unless no two elements share a place: each stride reaches over all that is strided by smaller ones.
  func requireDistinctElements() {
    var reach = 0
    var isNested = true
    for (size, stride) in axes.sorted(by: { abs($0.stride) < abs($1.stride) }) where !isEmpty {
      isNested = isNested && abs(stride) > reach
      reach += (size - 1) * abs(stride)
    }
    require(
      isNested,
      "Matrix over borrowed memory: the elements of \(description) share places; they cannot be written")
  }

  /// The matrices over the elements of `storage`.
  func stack<S>(over storage: MatrixStorage) -> MatrixStack<S> {
    MatrixStack(first: Matrix(storage: storage, layout: matrix), stride: matrixStride, count: count)
  }

  /// Traps unless nobody holds the matrices any more.
  func requireReturned(_ isReturned: Bool) {
    require(
      isReturned,
      """
      Matrix over borrowed memory: \(description) is still in use at the end of the closure; what shall stay must be \
      a copy of the elements
      """)
  }

  /// Ends the loan of the memory of `owner`: copies into place what was assigned to the stack instead of mutating it.
  func takeBack<S>(_ stack: inout MatrixStack<S>, _ owner: inout MatrixStorage) {
    require(
      stack.count == count && stack.rows == matrix.rows && stack.columns == matrix.columns,
      """
      Matrix over borrowed memory: \(stack.count) matrices of \(stack.rows)×\(stack.columns) were assigned to \
      \(description)
      """)
    let isLoan = stack.first.storage.lender === owner
    if isLoan && stack.first.layout == matrix && stack.stride == matrixStride {
      return requireReturned(isKnownUniquelyReferenced(&stack.first.storage))
    }
    // Another view of the loan, such as its transpose: copy before overwriting.
    if isLoan { stack = stack.compactCopy() }
    requireReturned(isKnownUniquelyReferenced(&owner))
    let target: MatrixStack<S> = self.stack(over: owner)
    for i in 0..<count { target.copyElements(of: stack[i], to: target[i]) }
  }
}
