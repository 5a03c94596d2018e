import FisherLinearAlgebra
import FisherPluginABI
import FisherRuntime

extension fisher_matrix {
  /// What was not asked for.
  static var none: fisher_matrix { fisher_matrix(data: nil, rows: 0, columns: 0, stride: 0) }

  /// The elements of a matrix, valid as long as it lives and is not copied.
  ///
  /// - Precondition: the elements of a row lie side by side.
  init<S>(_ matrix: Matrix<S>) {
    require(matrix.columnStride == 1 || matrix.columns < 2, "fisher_matrix: a row has gaps")
    self.init(
      data: matrix.withPointer { UnsafeMutableRawPointer(mutating: $0.base) }, rows: Int64(matrix.rows),
      columns: Int64(matrix.columns), stride: Int64(max(matrix.rowStride, matrix.columns)))
  }

  /// Lends it to a routine that reads it.
  ///
  /// - Parameter routine: for the message, if this is no matrix.
  func read<S: KernelScalar, R>(as _: S.Type, for routine: String, _ body: (Matrix<S>) -> R) -> R {
    let elements = UnsafeBufferPointer(self.elements(as: S.self, for: routine))
    return elements.span.withMatrix(rows: Int(rows), columns: Int(columns), rowStride: Int(stride), body)
  }

  /// Lends it to a routine that writes it.
  func write<S: KernelScalar, R>(as _: S.Type, for routine: String, _ body: (inout Matrix<S>) -> R) -> R {
    var span = elements(as: S.self, for: routine).mutableSpan
    return span.withMutableMatrix(rows: Int(rows), columns: Int(columns), rowStride: Int(stride), body)
  }

  /// The elements from the first to the last, in the type of the step, which is laid out like float or double.
  func elements<S>(as _: S.Type, for routine: String) -> UnsafeMutableBufferPointer<S> {
    require(
      rows >= 0 && columns >= 0 && (stride >= columns || rows <= 1),
      "\(routine): a plugin's matrix has \(rows)×\(columns) elements and stride \(stride)")
    if rows == 0 || columns == 0 { return UnsafeMutableBufferPointer(start: nil, count: 0) }
    guard let data else { fatalError("\(routine): a plugin's matrix of \(rows)×\(columns) has no data") }
    return UnsafeMutableBufferPointer(
      start: data.assumingMemoryBound(to: S.self), count: Int((rows - 1) * stride + columns))
  }
}
