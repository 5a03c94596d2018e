/// A dense matrix with value semantics, and every view of one.
///
/// Copies, ``transposed``, blocks, rows and columns share storage and cost O(1); the first mutation of a shared
/// storage copies the elements of the mutated matrix alone, row-major without gaps. New matrices are row-major and
/// 64-byte aligned. Vectors are matrices of one row or one column. Matrices without rows or columns are valid
/// everywhere.
///
///     var c: Matrix<Float> = [[1, 2], [3, 4]]
///     c[rows: 0..<1, columns: 0...] = [[5, 6]]      // in place
///     let product = c.transposed.multiplied(by: c)  // no transposition takes place
public struct Matrix<Scalar: KernelScalar>: Sendable {
  @usableFromInline var storage: MatrixStorage
  @usableFromInline var layout: MatrixLayout

  @inlinable
  init(storage: MatrixStorage, layout: MatrixLayout) {
    self.storage = storage
    self.layout = layout
  }

  /// The number of rows.
  @inlinable public var rows: Int { layout.rows }

  /// The number of columns.
  @inlinable public var columns: Int { layout.columns }

  /// The distance in elements between vertical neighbours.
  @inlinable public var rowStride: Int { layout.rowStride }

  /// The distance in elements between horizontal neighbours.
  @inlinable public var columnStride: Int { layout.columnStride }

  /// The number of elements, `rows * columns`.
  @inlinable public var count: Int { layout.rows &* layout.columns }

  /// There are no rows or no columns.
  @inlinable public var isEmpty: Bool { layout.rows == 0 || layout.columns == 0 }

  /// There is one row or one column.
  @inlinable public var isVector: Bool { layout.rows == 1 || layout.columns == 1 }

  /// The elements lie row-major without gaps, so that ``withSpan(_:)`` makes no copy.
  public var isContiguous: Bool { layout.isCompact }

  /// No element is NaN or infinite.
  public var isFinite: Bool { withPointer { hasFiniteElements($0) } }

  /// The element in row `i` and column `j`, both from 0; traps outside of the matrix.
  @inlinable
  public subscript(i: Int, j: Int) -> Scalar {
    get {
      requireElement(i, j)
      return withExtendedLifetime(storage) { address[i &* layout.rowStride &+ j &* layout.columnStride] }
    }
    set {
      requireElement(i, j)
      makeUnique()
      withExtendedLifetime(storage) {
        address[i &* layout.rowStride &+ j &* layout.columnStride] = newValue
      }
    }
  }

  @inlinable @inline(__always)
  func requireElement(_ i: Int, _ j: Int) {
    if UInt(bitPattern: i) >= UInt(bitPattern: rows) || UInt(bitPattern: j) >= UInt(bitPattern: columns) {
      stopAtElement(i, j)
    }
  }

  @usableFromInline @inline(never)
  func stopAtElement(_ i: Int, _ j: Int) -> Never {
    fatalError("Matrix: the element (\(i), \(j)) does not lie in a matrix of \(rows)×\(columns)")
  }

  /// Where the element (0, 0) lies.
  @inlinable @inline(__always)
  var address: UnsafeMutablePointer<Scalar> {
    storage.bytes.assumingMemoryBound(to: Scalar.self) + layout.offset
  }

  /// Makes this the only matrix with its storage, by copying its own elements if others share it.
  ///
  /// - Parameter keepingElements: false if all elements will be overwritten, which saves the copy.
  @inlinable @inline(__always)
  mutating func makeUnique(keepingElements: Bool = true) {
    if isOnlyOne { return }
    replaceStorage(keepingElements: keepingElements)
  }

  /// Whether nobody else holds these elements, so that writing them costs no new memory.
  @inlinable @inline(__always)
  package var isOnlyOne: Bool {
    mutating get { isKnownUniquelyReferenced(&storage) && storage.isWritable }
  }

  @usableFromInline @inline(never)
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  mutating func replaceStorage(keepingElements: Bool) {
    self = keepingElements ? compactCopy() : Matrix(uninitialized: rows, columns)
  }
}

@specialized(where S == Float) @specialized(where S == Double)
private func hasFiniteElements<S: KernelScalar>(_ a: MatrixPointer<S>) -> Bool {
  // 0·x is 0 for a finite x, and NaN otherwise.
  var sum: S = 0
  for i in 0..<a.rows { for j in 0..<a.columns { sum += 0 * a[i, j] } }
  return sum == 0
}
