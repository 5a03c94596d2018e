import FisherLinearAlgebra

/// Pointers to the operands of the current pass, in memory that is taken once.
final class Places<Scalar: KernelScalar> {
  let activations: UnsafeMutablePointer<MutableMatrixPointer<Scalar>>
  let gradients: UnsafeMutablePointer<MutableMatrixPointer<Scalar>>
  let saved: UnsafeMutablePointer<UnsafeMutablePointer<Scalar>?>
  let parameters: UnsafeMutablePointer<MatrixPointer<Scalar>>
  let parameterGradients: UnsafeMutablePointer<MutableMatrixPointer<Scalar>>

  // Plain pointers, so nothing has to be initialised or destroyed one by one.
  init(_ program: Program<Scalar>) {
    activations = .allocate(capacity: program.slots.count)
    gradients = .allocate(capacity: program.slots.count)
    saved = .allocate(capacity: program.nodes.count)
    parameters = .allocate(capacity: program.parameters.count)
    parameterGradients = .allocate(capacity: program.parameters.count)
  }

  deinit {
    activations.deallocate()
    gradients.deallocate()
    saved.deallocate()
    parameters.deallocate()
    parameterGradients.deallocate()
  }
}
