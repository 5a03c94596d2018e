/// How a matrix lies in memory.
public struct Layout: Sendable, Hashable, CustomStringConvertible {
  public enum Order: Sendable { case rowMajor, columnMajor }

  public var order: Order
  /// The stride inside a row (row-major) or column (column-major).
  public var inner = 1
  /// Unused elements between one row (or column) and the next.
  public var padding = 0
  /// The strides are negative: the last row, or column, comes first. Inputs only.
  public var flipsRows = false
  public var flipsColumns = false
  /// All rows share the memory of one (row stride 0). Inputs only.
  public var repeatsRows = false

  public init(
    _ order: Order, inner: Int = 1, padding: Int = 0, flipsRows: Bool = false, flipsColumns: Bool = false,
    repeatsRows: Bool = false
  ) {
    self.order = order
    self.inner = inner
    self.padding = padding
    self.flipsRows = flipsRows
    self.flipsColumns = flipsColumns
    self.repeatsRows = repeatsRows
  }

  public static let rowMajor = Layout(.rowMajor)
  public static let columnMajor = Layout(.columnMajor)

  /// What an output may have.
  public static let outputs: [Layout] = [
    .rowMajor, .columnMajor,
    Layout(.rowMajor, padding: 1), Layout(.rowMajor, padding: 5),
    Layout(.columnMajor, padding: 1), Layout(.columnMajor, padding: 7),
    Layout(.rowMajor, inner: 2), Layout(.columnMajor, inner: 3, padding: 2),
  ]

  /// What an input may have.
  public static let inputs: [Layout] =
    outputs + [
      Layout(.rowMajor, flipsRows: true), Layout(.columnMajor, padding: 3, flipsRows: true),
      Layout(.rowMajor, padding: 2, flipsColumns: true), Layout(.columnMajor, flipsColumns: true),
      Layout(.rowMajor, inner: 2, padding: 1, flipsRows: true, flipsColumns: true),
      Layout(.rowMajor, repeatsRows: true),
    ]

  public var description: String {
    var text = order == .rowMajor ? "row" : "col"
    if inner != 1 { text += "/\(inner)" }
    if padding != 0 { text += "+\(padding)" }
    if flipsRows { text += "-r" }
    if flipsColumns { text += "-c" }
    if repeatsRows { text += "*r" }
    return text
  }

  /// The same memory read as the transposed matrix.
  public var transposed: Layout {
    precondition(!repeatsRows)
    return Layout(
      order == .rowMajor ? .columnMajor : .rowMajor, inner: inner, padding: padding,
      flipsRows: flipsColumns, flipsColumns: flipsRows)
  }
}
