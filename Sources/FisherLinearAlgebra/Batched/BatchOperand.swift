public import KernelTemplates

/// Where the matrices of a batch lie: `rows` × `columns` each.
public struct BatchOperand<S: KernelScalar> {
  public enum Form: Sendable, Equatable {
    /// Each matrix for itself, `stride` elements from the last.
    case arrays(rowStride: Int, columnStride: Int)
    /// ``width`` matrices at a time, `stride` elements from the last ones, element by element side by side, row-major.
    case interleaved
    /// As `interleaved`, where only the lower triangles are kept, row by row: of symmetric or lower triangular matrices.
    case interleavedTriangles
  }

  /// How many matrices lie side by side: as many as there are elements in a cache line, on every machine.
  @inline(__always)
  public static var width: Int { 64 / MemoryLayout<S>.stride }

  public var base: UnsafeMutablePointer<S>
  public var rows: Int
  public var columns: Int
  public var stride: Int
  public var form: Form

  public init(_ base: UnsafeMutablePointer<S>, rows: Int, columns: Int, stride: Int, _ form: Form) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.stride = stride
    self.form = form
  }

  /// Matrices like `first`, each `stride` elements from the last.
  public init(_ first: MutableMatrixPointer<S>, stride: Int) {
    self.init(
      first.base, rows: first.rows, columns: first.columns, stride: stride,
      .arrays(rowStride: first.rowStride, columnStride: first.columnStride))
  }

  /// Matrices like `first`, each `stride` elements from the last, which will only be read.
  public init(reading first: MatrixPointer<S>, stride: Int) {
    self.init(
      UnsafeMutablePointer(mutating: first.base), rows: first.rows, columns: first.columns, stride: stride,
      .arrays(rowStride: first.rowStride, columnStride: first.columnStride))
  }

  /// Element (r, c) of matrix `i`; of triangles r ≥ c, and what is written above them is dropped.
  @inline(__always)
  public subscript(i: Int, r: Int, c: Int) -> S {
    get { base[place(i, r, c)] }
    nonmutating set { if form != .interleavedTriangles || r >= c { base[place(i, r, c)] = newValue } }
  }

  @inline(__always)
  private func place(_ i: Int, _ r: Int, _ c: Int) -> Int {
    switch form {
    case .arrays(let rowStride, let columnStride): i * stride + r * rowStride + c * columnStride
    case .interleaved: line(i) + (r * columns + c) * Self.width
    case .interleavedTriangles: line(i) + Packed.index(r, c) * Self.width
    }
  }

  /// Where element (0, 0) of matrix `i` lies, if matrices lie side by side.
  @inline(__always)
  private func line(_ i: Int) -> Int { i / Self.width * stride + i % Self.width }

  /// Where matrix `i` begins.
  @inline(__always)
  func start(_ i: Int) -> UnsafeMutablePointer<S> {
    if case .arrays = form { return base + i * stride }
    return base + line(i)
  }
}

/// Lower triangles, row by row without gaps.
enum Packed {
  /// The elements of a triangle of order n.
  @inline(__always)
  static func count(_ n: Int) -> Int { n * (n + 1) / 2 }

  /// The place of (r, c), r ≥ c.
  @inline(__always)
  static func index(_ r: Int, _ c: Int) -> Int { r * (r + 1) / 2 + c }
}
