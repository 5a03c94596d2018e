public import FisherLinearAlgebra
public import KernelTemplates

/// A matrix between guard pages; every element of the memory that does not belong to it holds the sentinel.
public struct GuardedMatrix<S: KernelScalar> {
  public let buffer: GuardedBuffer<S>
  public let layout: Layout
  /// The elements, for reading and writing.
  public let pointer: MutableMatrixPointer<S>
  /// All the memory from the first to the last element, gaps included.
  public let extent: UnsafeMutableBufferPointer<S>
  /// Rows (row-major) or columns (column-major): how many, how long, how far apart.
  private let lines: (count: Int, length: Int, stride: Int)

  /// Elements of memory that the layout needs.
  public static func extentCount(_ rows: Int, _ columns: Int, _ layout: Layout) -> Int {
    let lines = Self.lines(rows, columns, layout)
    guard lines.count > 0, lines.length > 0 else { return 0 }
    return (lines.count - 1) * lines.stride + (lines.length - 1) * layout.inner + 1
  }

  private static func lines(
    _ rows: Int, _ columns: Int, _ layout: Layout
  ) -> (count: Int, length: Int, stride: Int) {
    let stored = layout.repeatsRows ? min(rows, 1) : rows
    let (count, length) = layout.order == .rowMajor ? (stored, columns) : (columns, stored)
    return (count, length, max(length, 1) * layout.inner + layout.padding)
  }

  /// A matrix full of sentinels, in `buffer` or in memory of its own.
  @specialized(where S == Float)
  @specialized(where S == Double)
  public init(
    _ rows: Int, _ columns: Int, _ layout: Layout = .rowMajor, flush: Flush = .rear,
    in buffer: GuardedBuffer<S>? = nil
  ) {
    let count = Self.extentCount(rows, columns, layout)
    let lines = Self.lines(rows, columns, layout)
    self.buffer = buffer ?? GuardedBuffer(capacity: count)
    self.layout = layout
    self.lines = lines
    extent = self.buffer.place(count, flush: flush)
    let isRowMajor = layout.order == .rowMajor
    var rowStride = isRowMajor ? lines.stride : layout.inner
    var columnStride = isRowMajor ? layout.inner : lines.stride
    var first = 0
    if layout.repeatsRows { rowStride = 0 }
    if count > 0, layout.flipsRows { first += (rows - 1) * rowStride }
    if count > 0, layout.flipsColumns { first += (columns - 1) * columnStride }
    if layout.flipsRows { rowStride = -rowStride }
    if layout.flipsColumns { columnStride = -columnStride }
    pointer = MutableMatrixPointer(
      extent.baseAddress! + first, rows: rows, columns: columns, rowStride: rowStride,
      columnStride: columnStride)
    extent.update(repeating: .sentinel)
  }

  public var rows: Int { pointer.rows }
  public var columns: Int { pointer.columns }

  /// The elements, to be read only.
  public var readOnly: MatrixPointer<S> { pointer.readOnly }

  /// A matrix of one column as a vector.
  public var vector: MutableVectorPointer<S> {
    precondition(columns == 1, "\(rows)×\(columns) is no vector")
    return MutableVectorPointer(pointer.base, count: rows, stride: pointer.rowStride)
  }

  /// The first place between the elements that no longer holds the sentinel bit for bit.
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func firstDamage() -> Int? {
    let (length, stride, inner) = (lines.length, lines.stride, layout.inner)
    guard length > 0, stride > length else { return nil }
    let expected = S.sentinel.bits
    let last = (length - 1) * inner
    for line in 0..<lines.count {
      let start = line * stride
      if inner > 1 {
        for place in 0..<last where place % inner != 0 && extent[start + place].bits != expected {
          return start + place
        }
      }
      for offset in start + last + 1..<max(min(start + stride, extent.count), start + last + 1)
      where extent[offset].bits != expected { return offset }
    }
    return nil
  }

  /// The bits of all the memory, gaps included.
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func snapshot() -> [UInt64] { extent.map { $0.bits } }

  /// The bits of the elements in row-major order.
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func elementBits() -> [UInt64] { elements().map { $0.bits } }

  /// The elements in row-major order.
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func elements() -> [S] {
    var result: [S] = []
    result.reserveCapacity(rows * columns)
    for i in 0..<rows { for j in 0..<columns { result.append(pointer[i, j]) } }
    return result
  }
}
