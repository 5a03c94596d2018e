import FisherRuntime

extension Matrix {
  /// The same elements with rows and columns exchanged, without copying. Can be mutated in place.
  public var transposed: Matrix {
    get { Matrix(storage: storage, layout: layout.transposed) }
    _modify {
      layout = layout.transposed
      defer { layout = layout.transposed }
      yield &self
    }
  }

  /// A block, without copying: `a[rows: 2..<5, columns: 1...]`. Traps when it does not lie in the matrix.
  ///
  /// As a target it is mutated in place: nothing is copied unless the matrix shares its storage, and the other
  /// elements stay. What is assigned must have the shape of the block.
  @inlinable
  public subscript(rows rows: some RangeExpression<Int>, columns columns: some RangeExpression<Int>) -> Matrix
  {
    get { self[block: rows.relative(to: 0..<self.rows), columns.relative(to: 0..<self.columns)] }
    _modify {
      yield &self[block: rows.relative(to: 0..<self.rows), columns.relative(to: 0..<self.columns)]
    }
  }

  /// The elements in row-major order as a matrix of another shape; without copying if the matrix is ``isContiguous``.
  ///
  /// - Precondition: the shape has as many elements.
  public func reshaped(rows: Int, columns: Int) -> Matrix {
    let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
    require(
      rows >= 0 && columns >= 0 && !overflow && count == self.count,
      "Matrix: \(self.rows)×\(self.columns) elements cannot be seen as \(rows)×\(columns)")
    let source = compacted()
    var layout = MatrixLayout.compact(rows: rows, columns: columns)
    layout.offset = source.layout.offset
    return Matrix(storage: source.storage, layout: layout)
  }

  /// Row `i` as a matrix of one row, without copying.
  public func row(_ i: Int) -> Matrix {
    Matrix(storage: storage, layout: layout.block(rows: i..<i + 1, columns: 0..<columns))
  }

  /// Column `j` as a matrix of one column, without copying.
  public func column(_ j: Int) -> Matrix {
    Matrix(storage: storage, layout: layout.block(rows: 0..<rows, columns: j..<j + 1))
  }

  /// The same elements in another number of rows, without copying. The matrix must be contiguous.
  package func reshaped(rows: Int) -> Matrix {
    require(
      isContiguous && rows > 0 && count % rows == 0,
      "Matrix: \(self.rows)×\(columns) elements do not make \(rows) rows")
    var shape = MatrixLayout.compact(rows: rows, columns: count / rows)
    shape.offset = layout.offset
    return Matrix(storage: storage, layout: shape)
  }

  @inlinable
  subscript(block rows: Range<Int>, columns: Range<Int>) -> Matrix {
    get { Matrix(storage: storage, layout: layout.block(rows: rows, columns: columns)) }
    _modify {
      makeUnique()
      var block = Matrix(
        storage: MatrixStorage(lentBy: storage), layout: layout.block(rows: rows, columns: columns))
      defer { takeBack(&block, rows, columns) }
      yield &block
    }
  }

  /// Ends the loan of a block, and copies into place what was assigned to it instead of mutating it.
  @usableFromInline
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  mutating func takeBack(_ block: inout Matrix, _ rows: Range<Int>, _ columns: Range<Int>) {
    require(
      block.rows == rows.count && block.columns == columns.count,
      "Matrix: \(block.rows)×\(block.columns) elements were assigned to a block of \(rows.count)×\(columns.count)"
    )
    if storage.endsLoan(of: layout.block(rows: rows, columns: columns), to: &block) { return }
    if !isKnownUniquelyReferenced(&storage) { replaceStorage(leavingOut: rows, columns) }
    withExtendedLifetime((storage, block.storage)) {
      copyElements(
        of: block.pointer,
        to: mutablePointer.block(
          rows.lowerBound, columns.lowerBound, rows: block.rows, columns: block.columns))
    }
  }

  /// Copies all but one block: a copy of the lent block that escaped may be writing there at this moment.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private mutating func replaceStorage(leavingOut rows: Range<Int>, _ columns: Range<Int>) {
    let source = self
    self = Matrix(
      rows: source.rows, columns: source.columns,
      unsafeUninitialized: { target in
        let (left, right) = (columns.lowerBound, columns.upperBound)
        for (r, c) in [
          (0..<rows.lowerBound, 0..<source.columns), (rows.upperBound..<source.rows, 0..<source.columns),
          (rows, 0..<left), (rows, right..<source.columns),
        ] {
          let (i, j) = (r.lowerBound, c.lowerBound)
          copyElements(
            of: source.pointer.block(i, j, rows: r.count, columns: c.count),
            to: target.block(i, j, rows: r.count, columns: c.count))
        }
      })
  }
}

extension MatrixStorage {
  /// Ends the loan of the elements at `layout`. False if `block` has become another matrix, to be copied into their place.
  func endsLoan<S>(of layout: MatrixLayout, to block: inout Matrix<S>) -> Bool {
    let isLoan = block.storage.lender === self
    if isLoan && block.layout == layout {
      if !isKnownUniquelyReferenced(&block.storage) { block.storage.endLoan() }
      return true
    }
    // The loan is gone, or the block has become another view of it (its transpose): copy before overwriting.
    if isLoan { block = block.compactCopy() }
    return false
  }
}
