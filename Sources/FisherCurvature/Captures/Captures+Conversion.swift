public import FisherLinearAlgebra

extension OutputGradients {
  /// The same gradients in another element type, rounded if it is the narrower one.
  public func converted<T: KernelScalar>(to _: T.Type) -> OutputGradients<T> {
    OutputGradients<T>(
      values: FisherCurvature.converted(values), scaleToSum: scaleToSum, scaleToMean: scaleToMean)
  }
}

extension LayerCapture {
  /// The same capture in another element type, rounded if it is the narrower one.
  public func converted<T: KernelScalar>(to _: T.Type) -> LayerCapture<T> {
    LayerCapture<T>(
      kind: kind, inputs: FisherCurvature.converted(inputs),
      outputGradients: outputGradients.converted(to: T.self), sampleCount: sampleCount)
  }
}

extension Captures {
  /// The same captures in another element type: a recorded run in `Double` for a test in `Float`, and back.
  public func converted<T: KernelScalar>(to _: T.Type) -> Captures<T, Kind> {
    Captures<T, Kind>(layers.mapValues { $0.converted(to: T.self) })
  }
}

private func converted<S: KernelScalar, T: KernelScalar>(_ matrix: Matrix<S>) -> Matrix<T> {
  Matrix(matrix.array.map { T(Double($0)) }, rows: matrix.rows, columns: matrix.columns)
}
