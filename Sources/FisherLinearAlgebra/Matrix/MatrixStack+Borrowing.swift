import FisherRuntime

// Matrices over memory that exists. They are like other matrices, so that every routine takes them, and must not outlive
// the closure, which is checked.

extension Span where Element: KernelScalar {
  /// Lends elements as a matrix, without copying: (i, j) is element `offset + i * rowStride + j * columnStride`.
  ///
  ///     let product = samples.span.withMatrix(rows: 100, columns: 3, rowStride: 4) { $0.multiplied(by: weights) }
  ///
  /// Traps unless all elements of the matrix lie in the span, and when the matrix, or a view of it, outlives `body`. A
  /// copy that `body` mutates gets memory of its own.
  ///
  /// - Parameters:
  ///   - rowStride: `columns` if not given. Strides may be negative, and 0 to repeat a row or a column.
  ///   - offset: where the element (0, 0) lies.
  public func withMatrix<R, E>(
    rows: Int, columns: Int, rowStride: Int? = nil, columnStride: Int = 1, offset: Int = 0,
    _ body: (Matrix<Element>) throws(E) -> R
  ) throws(E) -> R {
    try withMatrices(
      count: 1, rows: rows, columns: columns, matrixStride: 0, rowStride: rowStride,
      columnStride: columnStride, offset: offset
    ) { stack throws(E) in try body(stack[0]) }
  }

  /// Lends elements as `count` matrices, without copying: matrix i begins at element `offset + i * matrixStride`.
  ///
  /// As ``withMatrix(rows:columns:rowStride:columnStride:offset:_:)``.
  ///
  /// - Parameter matrixStride: `rows * rowStride` if not given: one below the other.
  public func withMatrices<R, E>(
    count: Int, rows: Int, columns: Int, matrixStride: Int? = nil, rowStride: Int? = nil,
    columnStride: Int = 1, offset: Int = 0, _ body: (MatrixStack<Element>) throws(E) -> R
  ) throws(E) -> R {
    let layout = StackLayout(count, rows, columns, matrixStride, rowStride, columnStride, offset)
    layout.requireWithin(self.count)
    return try withUnsafeBufferPointer { elements throws(E) in
      let memory = elements.baseAddress.map { UnsafeMutableRawPointer(mutating: $0) }
      var storage = MatrixStorage(borrowing: memory, isWritable: false)
      defer { layout.requireReturned(isKnownUniquelyReferenced(&storage)) }
      return try body(layout.stack(over: storage))
    }
  }
}

extension MutableSpan where Element: KernelScalar {
  /// Lends elements as a matrix to be changed in place: (i, j) is element `offset + i * rowStride + j * columnStride`.
  ///
  /// Traps unless all elements of the matrix lie in the span, each in a place of its own, and when the matrix, or a view of
  /// it, outlives `body`. Elements of the span that do not belong to the matrix stay. What `body` assigns instead must
  /// have the same shape, and is copied into place.
  ///
  /// - Parameters:
  ///   - rowStride: `columns` if not given. Strides may be negative.
  ///   - offset: where the element (0, 0) lies.
  public mutating func withMutableMatrix<R, E>(
    rows: Int, columns: Int, rowStride: Int? = nil, columnStride: Int = 1, offset: Int = 0,
    _ body: (inout Matrix<Element>) throws(E) -> R
  ) throws(E) -> R {
    try withMutableMatrices(
      count: 1, rows: rows, columns: columns, matrixStride: 0, rowStride: rowStride,
      columnStride: columnStride, offset: offset
    ) { stack throws(E) in try body(&stack[0]) }
  }

  /// Lends elements as `count` matrices to be changed in place: matrix i begins at element `offset + i * matrixStride`.
  ///
  /// As ``withMutableMatrix(rows:columns:rowStride:columnStride:offset:_:)``. So that each element has a place of its own,
  /// each of the three strides must reach over all that is strided by smaller ones.
  ///
  /// - Parameter matrixStride: `rows * rowStride` if not given: one below the other.
  public mutating func withMutableMatrices<R, E>(
    count: Int, rows: Int, columns: Int, matrixStride: Int? = nil, rowStride: Int? = nil,
    columnStride: Int = 1, offset: Int = 0, _ body: (inout MatrixStack<Element>) throws(E) -> R
  ) throws(E) -> R {
    let layout = StackLayout(count, rows, columns, matrixStride, rowStride, columnStride, offset)
    layout.requireWithin(self.count)
    layout.requireDistinctElements()
    return try withUnsafeMutableBufferPointer { elements throws(E) in
      var storage = MatrixStorage(
        borrowing: elements.baseAddress.map { UnsafeMutableRawPointer($0) }, isWritable: true)
      var stack: MatrixStack<Element> = layout.stack(over: MatrixStorage(lentBy: storage))
      defer { layout.takeBack(&stack, &storage) }
      return try body(&stack)
    }
  }
}

extension Array where Element: KernelScalar {
  /// Lends the elements of the array as a matrix; see ``Swift/Span/withMatrix(rows:columns:rowStride:columnStride:offset:_:)``.
  public func withMatrix<R, E>(
    rows: Int, columns: Int, rowStride: Int? = nil, columnStride: Int = 1, offset: Int = 0,
    _ body: (Matrix<Element>) throws(E) -> R
  ) throws(E) -> R {
    try span.withMatrix(
      rows: rows, columns: columns, rowStride: rowStride, columnStride: columnStride, offset: offset, body)
  }

  /// Lends the elements of the array as a matrix to be changed in place; see
  /// ``Swift/MutableSpan/withMutableMatrix(rows:columns:rowStride:columnStride:offset:_:)``.
  public mutating func withMutableMatrix<R, E>(
    rows: Int, columns: Int, rowStride: Int? = nil, columnStride: Int = 1, offset: Int = 0,
    _ body: (inout Matrix<Element>) throws(E) -> R
  ) throws(E) -> R {
    var elements = mutableSpan
    return try elements.withMutableMatrix(
      rows: rows, columns: columns, rowStride: rowStride, columnStride: columnStride, offset: offset, body)
  }
}
