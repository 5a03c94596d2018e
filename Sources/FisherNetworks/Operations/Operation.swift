import FisherCurvature
import FisherLinearAlgebra

/// One node of a network: how it turns one matrix into the next, and gradients back.
///
/// A value without weights or memory. Rows are samples, in contiguous rows without gaps between them.
protocol Operation<Scalar>: Sendable {
  associatedtype Scalar: KernelScalar
  /// In the order of ``NodeCall/parameters``.
  var parameters: [OperationParameter] { get }
  /// What captures of this node are; nil if it has none.
  var kind: LayerKind? { get }
  /// Rows of a capture for each sample.
  var positions: Int { get }
  /// Numbers that the forward pass keeps for the backward pass, for each sample.
  var savedPerSample: Int { get }

  /// output ← f(input).
  func forward(_ call: NodeCall<Scalar>)
  /// The gradients of parameters and inputs from ``NodeCall/outputGradient``, which becomes the gradient of the
  /// pre-activations: what captures show.
  func backward(_ call: NodeCall<Scalar>)
}

extension Operation {
  var parameters: [OperationParameter] { [] }
  var kind: LayerKind? { nil }
  var positions: Int { 1 }
  var savedPerSample: Int { 0 }
}

/// A parameter as its operation knows it.
struct OperationParameter: Sendable {
  /// The last part of its name.
  let name: String
  let shape: [Int]
  let role: ParameterRole
  let initial: InitialValue
}

/// The operands of a node in one pass.
struct NodeCall<Scalar: KernelScalar> {
  let backend: any Backend
  let threads: Int
  /// One row a sample, as in all operands.
  var input: MatrixPointer<Scalar>
  var output: MutableMatrixPointer<Scalar>
  var parameters: UnsafePointer<MatrixPointer<Scalar>>
  var saved: UnsafeMutablePointer<Scalar>?

  // The backward pass.

  /// dL/dOutput.
  var outputGradient: MutableMatrixPointer<Scalar>
  /// Nil if nothing before this node learns.
  var inputGradient: MutableMatrixPointer<Scalar>?
  /// The input has other readers, whose gradients are there already.
  var addsInputGradient = false
  /// Nil if only captures are wanted.
  var parameterGradients: UnsafePointer<MutableMatrixPointer<Scalar>>?

  var samples: Int { input.rows }
  /// 0 where the gradient of the input is overwritten, 1 where it is added to.
  var inputBeta: Scalar { addsInputGradient ? 1 : 0 }
}

extension MatrixPointer {
  /// The same elements, contiguous, in rows of another length.
  @inline(__always)
  func reshaped(columns: Int) -> MatrixPointer<Scalar> {
    MatrixPointer(
      base, rows: rows * self.columns / columns, columns: columns, rowStride: columns, columnStride: 1)
  }
}

extension MutableMatrixPointer {
  /// The same elements, contiguous, in rows of another length.
  @inline(__always)
  func reshaped(columns: Int) -> MutableMatrixPointer<Scalar> {
    MutableMatrixPointer(
      base, rows: rows * self.columns / columns, columns: columns, rowStride: columns, columnStride: 1)
  }
}
