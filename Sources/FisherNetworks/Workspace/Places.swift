import FisherLinearAlgebra

/// Pointers to the operands of the current pass, in memory that is taken once.
final class Places<Scalar: KernelScalar> {
  let activations: UnsafeMutablePointer<MutableMatrixPointer<Scalar>>
  let gradients: UnsafeMutablePointer<MutableMatrixPointer<Scalar>>
  let tangents: UnsafeMutablePointer<MutableMatrixPointer<Scalar>>
  let gradientTangents: UnsafeMutablePointer<MutableMatrixPointer<Scalar>>
  let saved: UnsafeMutablePointer<UnsafeMutablePointer<Scalar>>
  let parameters: UnsafeMutablePointer<MatrixPointer<Scalar>>
  let parameterGradients: UnsafeMutablePointer<MutableMatrixPointer<Scalar>>
  let parameterTangents: UnsafeMutablePointer<MatrixPointer<Scalar>>
  let statistics: UnsafeMutablePointer<MutableMatrixPointer<Scalar>>

  // Plain pointers, so nothing has to be destroyed one by one.
  init(_ program: Program<Scalar>) {
    let nowhere = UnsafeMutablePointer<Scalar>(bitPattern: MemoryLayout<Scalar>.alignment)!
    let none = MutableMatrixPointer(nowhere, rows: 0, columns: 0, rowStride: 0, columnStride: 1)
    func list<T>(_ count: Int, _ value: T) -> UnsafeMutablePointer<T> {
      let list = UnsafeMutablePointer<T>.allocate(capacity: max(1, count))
      list.initialize(repeating: value, count: count)
      return list
    }
    activations = list(program.slots.count, none)
    gradients = list(program.slots.count, none)
    tangents = list(program.slots.count, none)
    gradientTangents = list(program.slots.count, none)
    saved = list(program.nodes.count, nowhere)
    parameters = list(program.parameters.count, none.readOnly)
    parameterGradients = list(program.parameters.count, none)
    parameterTangents = list(program.parameters.count, none.readOnly)
    statistics = list(program.statistics.count, none)
  }

  /// The gradient of a parameter, which lies without gaps.
  func gradient(ofParameter i: Int) -> UnsafeMutableBufferPointer<Scalar> {
    let place = parameterGradients[i]
    return UnsafeMutableBufferPointer(start: place.base, count: place.rows * place.columns)
  }

  deinit {
    activations.deallocate()
    gradients.deallocate()
    tangents.deallocate()
    gradientTangents.deallocate()
    saved.deallocate()
    parameters.deallocate()
    parameterGradients.deallocate()
    parameterTangents.deallocate()
    statistics.deallocate()
  }
}
