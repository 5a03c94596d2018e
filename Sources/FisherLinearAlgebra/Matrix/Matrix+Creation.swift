import FisherRuntime

extension Matrix {
  /// `rows` × `columns` elements of undefined content; traps on negative numbers and when the size overflows.
  @inline(__always)
  init(uninitialized rows: Int, _ columns: Int) {
    require(rows >= 0 && columns >= 0, "Matrix: \(rows)×\(columns) is not a shape")
    let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
    let bytes = count.multipliedReportingOverflow(by: MemoryLayout<Scalar>.stride)
    require(!overflow && !bytes.overflow, "Matrix: \(rows)×\(columns) elements do not fit the address space")
    self.init(
      storage: MatrixStorage(byteCount: bytes.partialValue), layout: .compact(rows: rows, columns: columns))
  }

  /// A matrix that `fill` writes, row-major, through the pointer to its undefined elements.
  @inline(__always)
  init(rows: Int, columns: Int, unsafeUninitialized fill: (MutableMatrixPointer<Scalar>) -> Void) {
    self.init(uninitialized: rows, columns)
    withExtendedLifetime(storage) { fill(mutablePointer) }
  }

  /// Zeros.
  ///
  /// - Precondition: neither number is negative.
  public init(rows: Int, columns: Int) {
    self.init(repeating: 0, rows: rows, columns: columns)
  }

  /// `value` in every place.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public init(repeating value: Scalar, rows: Int, columns: Int) {
    self.init(uninitialized: rows, columns)
    address.initialize(repeating: value, count: count)
  }

  /// `element(i, j)` in row i and column j, called row by row.
  @inlinable
  public init<E>(rows: Int, columns: Int, _ element: (_ i: Int, _ j: Int) throws(E) -> Scalar) throws(E) {
    self.init(rows: rows, columns: columns)
    for i in 0..<rows {
      for j in 0..<columns {
        let value = try element(i, j)
        withExtendedLifetime(storage) { address[i &* columns &+ j] = value }
      }
    }
  }

  /// The rows of a literal or an array of arrays; traps unless all have the same length.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public init(_ rows: [[Scalar]]) {
    let columns = rows.first?.count ?? 0
    self.init(uninitialized: rows.count, columns)
    for (i, row) in rows.enumerated() {
      require(row.count == columns, "Matrix: row \(i) has \(row.count) elements and row 0 has \(columns)")
      row.withUnsafeBufferPointer { row in
        if let base = row.baseAddress { (address + i * columns).update(from: base, count: columns) }
      }
    }
  }

  /// The elements of `array` in row-major order; traps unless there are `rows * columns`.
  public init(_ array: [Scalar], rows: Int, columns: Int) {
    self.init(copying: array.span, rows: rows, columns: columns)
  }

  /// The elements of `span` in row-major order; traps unless there are `rows * columns`.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public init(copying span: Span<Scalar>, rows: Int, columns: Int) {
    self.init(uninitialized: rows, columns)
    let shape = layout
    require(
      span.count == shape.count, "Matrix: \(span.count) elements do not make a matrix of \(rows)×\(columns)")
    span.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { address.update(from: base, count: shape.count) }
    }
  }

  /// Ones on the diagonal of an `order` × `order` matrix, zeros elsewhere.
  public init(identity order: Int) {
    self.init(rows: order, columns: order)
    for i in 0..<order { address[i * order + i] = 1 }
  }
}

extension Matrix: ExpressibleByArrayLiteral {
  /// The rows, each an array: `[[1, 2], [3, 4]]`.
  public init(arrayLiteral rows: [Scalar]...) {
    self.init(rows)
  }
}
