import FisherRuntime

/// Many matrices of one shape, element by element side by side: the form that batched operations work on. Matrices that are
/// updated and inverted again and again are best kept in it, because taking them apart and together costs as much as
/// inverting them.
///
/// Value semantics, storage is shared until a mutation. The order of the elements is the same on every machine
/// (``elements``). Memory: rows·columns·count elements, n·(n + 1)/2·count if only lower triangles are kept, rounded up to
/// whole lines of ``width`` matrices.
public struct InterleavedBatch<Scalar: KernelScalar>: Sendable {
  /// Which elements are kept.
  public enum Storage: Sendable {
    case full
    /// The lower triangles of symmetric matrices: half the memory, and half the time where memory is the limit.
    case symmetric
  }

  /// How many matrices lie side by side: 16 of `Float`, 8 of `Double`.
  public static var width: Int { BatchOperand<Scalar>.width }

  /// The number of matrices.
  public let count: Int
  /// The rows of each.
  public let rows: Int
  /// The columns of each.
  public let columns: Int
  /// Which elements are kept.
  public let storage: Storage
  /// A row for each ``width`` matrices: their first elements, then their second ones, and so on, row by row. Behind the last
  /// matrix lie zeros.
  public private(set) var elements: Matrix<Scalar>

  /// `count` identity matrices of order `order`.
  public init(count: Int, order: Int, storage: Storage = .full) {
    self.init(zeros: count, order, order, storage)
    withOperand { matrices in
      for i in 0..<count { for r in 0..<order { matrices[i, r, r] = 1 } }
    }
  }

  /// `count` matrices of zeros.
  public init(count: Int, rows: Int, columns: Int) { self.init(zeros: count, rows, columns, .full) }

  /// The matrices of a stack. Of symmetric ones only the lower triangles are read.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public init(
    _ stack: MatrixStack<Scalar>, storage: Storage = .full, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) {
    requireThreads(threads, "InterleavedBatch")
    self.init(zeros: stack.count, stack.rows, stack.columns, storage)
    if isEmpty { return }
    let (stride, count) = (stack.stride, count)
    stack.withFirst { first in
      withOperand {
        backend.copy(BatchOperand(reading: first, stride: stride), to: $0, count: count, threads: threads)
      }
    }
  }

  /// `count` symmetric matrices of order `order` whose ``elements`` are given, without copying.
  ///
  /// Behind the last matrix there must be zeros, as in the ``elements`` of a batch.
  public init(elements: Matrix<Scalar>, count: Int, order: Int) {
    let shape = Self.shape(count, order, order, .symmetric)
    require(
      elements.rows == shape.rows && elements.columns == shape.columns && elements.isContiguous,
      """
      InterleavedBatch: \(elements.rows)×\(elements.columns) elements are not \(count) symmetric matrices of order \
      \(order); they must be \(shape.rows)×\(shape.columns)
      """)
    (self.count, rows, columns, storage) = (count, order, order, .symmetric)
    self.elements = elements
  }

  /// `count` symmetric matrices of order `order` that will all be overwritten, in memory of undefined content.
  public init(overwriting memory: consuming Matrix<Scalar>, count: Int, order: Int) {
    self.init(elements: consume memory, count: count, order: order)
    if count % Self.width == 0 || order == 0 { return }
    elements.withMutablePointer(discarding: true) { elements in
      let last = elements.base + (elements.rows - 1) * elements.rowStride
      clearLanes(of: last, from: count % Self.width, vectors: Packed.count(order), Self.width)
    }
  }

  /// Zeros.
  private init(zeros count: Int, _ rows: Int, _ columns: Int, _ storage: Storage) {
    require(
      count >= 0 && rows >= 0 && columns >= 0,
      "InterleavedBatch: \(count) matrices of \(rows)×\(columns) are not a shape")
    require(
      storage == .full || rows == columns,
      "InterleavedBatch: the matrices are \(rows)×\(columns); symmetric ones must be square")
    (self.count, self.rows, self.columns, self.storage) = (count, rows, columns, storage)
    let shape = Self.shape(count, rows, columns, storage)
    elements = Matrix(rows: shape.rows, columns: shape.columns)
  }

  /// The shape of ``elements``.
  private static func shape(
    _ count: Int, _ rows: Int, _ columns: Int, _ storage: Storage
  ) -> (rows: Int, columns: Int) {
    (
      (count + width - 1) / width, (storage == .full ? rows * columns : Packed.count(rows)) * width
    )
  }

  /// The shape of the ``elements`` of `count` symmetric matrices of order `order`.
  public static func shape(count: Int, order: Int) -> (rows: Int, columns: Int) {
    shape(count, order, order, .symmetric)
  }

  /// n, the rows and columns of each; traps unless they are square.
  public var order: Int {
    require(rows == columns, "InterleavedBatch: the matrices are \(rows)×\(columns); they must be square")
    return rows
  }

  /// There is no element.
  var isEmpty: Bool { count == 0 || rows == 0 || columns == 0 }

  /// Matrix `i`, from 0: a copy. Of a new symmetric matrix only the lower triangle is read.
  public subscript(i: Int) -> Matrix<Scalar> {
    get {
      requireMatrix(i)
      var result = Matrix<Scalar>(rows: rows, columns: columns)
      let isFull = storage == .full
      withReadOnlyOperand { matrices in
        result.withMutablePointer { result in
          for r in 0..<result.rows {
            for c in 0..<result.columns {
              result[r, c] = isFull || r >= c ? matrices[i, r, c] : matrices[i, c, r]
            }
          }
        }
      }
      return result
    }
    set {
      require(
        newValue.rows == rows && newValue.columns == columns,
        "InterleavedBatch: the matrix is \(newValue.rows)×\(newValue.columns) and the others are \(rows)×\(columns)"
      )
      requireMatrix(i)
      newValue.withPointer { matrix in
        withOperand { matrices in
          for r in 0..<matrix.rows { for c in 0..<matrix.columns { matrices[i, r, c] = matrix[r, c] } }
        }
      }
    }
  }

  /// The matrices as a stack in row-major order.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func stack(on backend: any Backend = NativeBackend(), threads: Int = Threads.available)
    -> MatrixStack<Scalar>
  {
    requireThreads(threads, "InterleavedBatch")
    var stack = MatrixStack<Scalar>(count: count, rows: rows, columns: columns)
    if isEmpty { return stack }
    stack.withMutableFirst { first, stride, count in
      withReadOnlyOperand {
        backend.copy($0, to: BatchOperand(first, stride: stride), count: count, threads: threads)
      }
    }
    return stack
  }

  private func requireMatrix(_ i: Int) {
    require(
      i >= 0 && i < count, "InterleavedBatch: there is no matrix \(i) among \(count) of \(rows)×\(columns)")
  }

  /// Lends the matrices to be written.
  @inline(__always)
  mutating func withOperand<R>(_ body: (BatchOperand<Scalar>) -> R) -> R {
    let (rows, columns) = (rows, columns)
    let form: BatchOperand<Scalar>.Form = storage == .full ? .interleaved : .interleavedTriangles
    return elements.withMutablePointer {
      body(BatchOperand($0.base, rows: rows, columns: columns, stride: $0.rowStride, form))
    }
  }

  /// Lends the matrices to be read.
  @inline(__always)
  func withReadOnlyOperand<R>(_ body: (BatchOperand<Scalar>) -> R) -> R {
    elements.withPointer {
      body(
        BatchOperand(
          UnsafeMutablePointer(mutating: $0.base), rows: rows, columns: columns, stride: $0.rowStride,
          storage == .full ? .interleaved : .interleavedTriangles))
    }
  }
}
