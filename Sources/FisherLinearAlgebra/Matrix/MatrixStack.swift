import FisherRuntime

/// `count` matrices of one shape, for batched operations: at equal distances in memory, or one repeated.
///
/// Value semantics and views as in ``Matrix``: a stack is made from a matrix, transposed and taken apart without
/// copying, and `stack[i]` is mutated in place.
public struct MatrixStack<Scalar: KernelScalar>: Sendable {
  /// Matrix 0, whose storage holds the others too; with a count of 0 only its shape means something.
  @usableFromInline var first: Matrix<Scalar>
  /// The distance in elements between the first elements of two neighbours; 0 if all are the same.
  @usableFromInline let stride: Int
  /// The number of matrices.
  public let count: Int

  init(first: Matrix<Scalar>, stride: Int, count: Int) {
    self.first = first
    self.stride = stride
    self.count = count
  }

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
    self.init(first: matrix, stride: 0, count: count)
  }

  private init(splitting matrix: Matrix<Scalar>, count: Int, rowsOfEach: Int) {
    var layout = matrix.layout
    layout.rows = rowsOfEach
    self.init(
      first: Matrix(storage: matrix.storage, layout: layout), stride: rowsOfEach &* layout.rowStride,
      count: count)
  }

  /// All matrices, one below the other; without copying if that is how they lie.
  public var stacked: Matrix<Scalar> {
    guard stride == rows &* first.rowStride || count <= 1 else { return compactCopy().stacked }
    var layout = first.layout
    layout.rows = count &* rows
    return Matrix(storage: first.storage, layout: layout)
  }

  /// The number of rows of each matrix.
  public var rows: Int { first.rows }

  /// The number of columns of each matrix.
  public var columns: Int { first.columns }

  /// The stack of the transposed matrices, without copying. Can be mutated in place.
  public var transposed: MatrixStack {
    get { MatrixStack(first: first.transposed, stride: stride, count: count) }
    _modify {
      first.layout = first.layout.transposed
      defer { first.layout = first.layout.transposed }
      yield &self
    }
  }

  /// Matrix `i`, from 0, without copying; it can be mutated in place, but keeps its shape.
  public subscript(i: Int) -> Matrix<Scalar> {
    get { Matrix(storage: first.storage, layout: layout(of: i)) }
    _modify {
      makeUnique()
      var matrix = Matrix<Scalar>(storage: MatrixStorage(lentBy: first.storage), layout: layout(of: i))
      defer { takeBack(&matrix, i) }
      yield &matrix
    }
  }

  /// The element in row `i` and column `j` of matrix `m`, all from 0; traps outside of the stack.
  ///
  /// To write elements one by one takes a few instructions each; `stack[m][i, j] = x` lends a matrix for each of them.
  @inlinable
  public subscript(m: Int, i: Int, j: Int) -> Scalar {
    get {
      requireElement(m, i, j)
      return withExtendedLifetime(first.storage) { address(m, i, j).pointee }
    }
    set {
      requireElement(m, i, j)
      makeUnique()
      withExtendedLifetime(first.storage) { address(m, i, j).pointee = newValue }
    }
  }

  @inlinable @inline(__always)
  func address(_ m: Int, _ i: Int, _ j: Int) -> UnsafeMutablePointer<Scalar> {
    first.address + m &* stride + i &* first.rowStride + j &* first.columnStride
  }

  @inlinable @inline(__always)
  func requireElement(_ m: Int, _ i: Int, _ j: Int) {
    let isInside =
      UInt(bitPattern: m) < UInt(bitPattern: count) && UInt(bitPattern: i) < UInt(bitPattern: first.rows)
      && UInt(bitPattern: j) < UInt(bitPattern: first.columns)
    if !isInside { stopAtElement(m, i, j) }
  }

  @usableFromInline @inline(never)
  func stopAtElement(_ m: Int, _ i: Int, _ j: Int) -> Never {
    fatalError(
      "MatrixStack: there is no element (\(i), \(j)) of matrix \(m) in \(count) of \(rows)×\(columns)")
  }

  private func layout(of i: Int) -> MatrixLayout {
    require(i >= 0 && i < count, "MatrixStack: there is no matrix \(i) among \(count) of \(rows)×\(columns)")
    var layout = first.layout
    layout.offset += i &* stride
    return layout
  }

  /// Lends the first matrix, which lies at ``stride`` from the next. With a count of 0 it must not be read.
  @inline(__always)
  func withFirst<R>(_ body: (MatrixPointer<Scalar>) -> R) -> R { first.withPointer(body) }

  /// Lends the first matrix to be written, with the stride and the count.
  @inline(__always)
  mutating func withMutableFirst<R>(
    _ body: (_ first: MutableMatrixPointer<Scalar>, _ stride: Int, _ count: Int) -> R
  ) -> R {
    makeUnique()
    return withExtendedLifetime(first.storage) { body(first.mutablePointer, stride, count) }
  }
}

extension MatrixStack {
  /// Makes this the only stack with its storage, in which each matrix has a place of its own, by copying if need be.
  @inlinable @inline(__always)
  mutating func makeUnique() {
    let isRepeated = stride == 0 && count > 1
    if isRepeated || !first.isOnlyOne { replaceStorage() }
  }

  @usableFromInline @inline(never)
  mutating func replaceStorage() { self = compactCopy() }

  /// The same matrices one below the other, row-major.
  ///
  /// - Parameter hole: a matrix that is left undefined instead.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  func compactCopy(leavingOut hole: Int? = nil) -> MatrixStack {
    let copy = MatrixStack(
      splitting: Matrix(uninitialized: count * rows, columns), count: count, rowsOfEach: rows)
    for i in 0..<count where i != hole { copyElements(of: self[i], to: copy[i]) }
    return copy
  }

  /// Ends the loan of a matrix, and copies into place what was assigned to it instead of mutating it.
  private mutating func takeBack(_ matrix: inout Matrix<Scalar>, _ i: Int) {
    require(
      matrix.rows == rows && matrix.columns == columns,
      "MatrixStack: \(matrix.rows)×\(matrix.columns) elements were assigned to a matrix of \(rows)×\(columns)"
    )
    if first.storage.endsLoan(of: layout(of: i), to: &matrix) { return }
    // A copy of the lent matrix that escaped may be writing there at this moment.
    if !isKnownUniquelyReferenced(&first.storage) { self = compactCopy(leavingOut: i) }
    copyElements(of: matrix, to: self[i])
  }

  /// Writes into memory that the caller knows nobody else to read.
  @inline(__always)
  func copyElements(of source: Matrix<Scalar>, to target: Matrix<Scalar>) {
    withExtendedLifetime((source.storage, target.storage)) {
      FisherLinearAlgebra.copyElements(of: source.pointer, to: target.mutablePointer)
    }
  }
}
