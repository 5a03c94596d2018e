// Target ← source, element by element: the strides make it a copy, a transposition or a reversal.

public import KernelTemplates

extension ReferenceBackend {
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func copy<S: KernelScalar>(_ source: MatrixPointer<S>, to target: MutableMatrixPointer<S>) {
    for i in 0..<target.rows {
      for j in 0..<target.columns { target[i, j] = source[i, j] }
    }
  }
}
