import FisherCurvature
import FisherLinearAlgebra

/// One node of a network: how it turns one matrix into the next, gradients back, and tangents forward.
///
/// A value without weights or memory. Rows are samples, without gaps between them or their elements.
protocol Operation<Scalar>: Sendable {
  associatedtype Scalar: KernelScalar
  /// In the order of ``NodeCall/parameters``.
  var parameters: [OperationParameter] { get }
  /// Running averages: in the order of ``NodeCall/statistics``.
  var statistics: [OperationStatistic] { get }
  /// What captures of this node are; nil if it has none.
  var kind: LayerKind? { get }
  /// Rows of a capture for each sample.
  var positions: Int { get }
  /// The inputs of a capture are the numbers of the positions, whatever comes in.
  var capturesPositions: Bool { get }
  /// The flops of the products in the forward pass of a sample; each gradient costs as much.
  var productFlops: Double { get }
  /// Numbers that the forward pass keeps for the backward pass.
  func savedCount(samples: Int) -> Int

  /// output ← f(input).
  func forward(_ call: NodeCall<Scalar>)
  /// The gradients of parameters and inputs from ``NodeCall/outputGradient``, which becomes the gradient of the
  /// pre-activations: what captures show.
  func backward(_ call: NodeCall<Scalar>)
  /// outputTangent ← ∂f/∂input·inputTangent + ∂f/∂parameters·parameterTangents, after a forward pass.
  func pushForward(_ call: NodeCall<Scalar>)
  /// Takes the batch's statistics of the last forward pass into the running averages.
  func updateStatistics(_ call: NodeCall<Scalar>)
}

extension Operation {
  var parameters: [OperationParameter] { [] }
  var statistics: [OperationStatistic] { [] }
  var kind: LayerKind? { nil }
  var positions: Int { 1 }
  var capturesPositions: Bool { false }
  var productFlops: Double { 0 }
  func savedCount(samples: Int) -> Int { 0 }
  func updateStatistics(_ call: NodeCall<Scalar>) {}

  /// The push-forward of an operation without parameters whose Jacobian is symmetric: its own backward pass.
  func pushForwardBySymmetry(_ call: NodeCall<Scalar>) {
    guard let tangent = call.inputTangent else { return call.outputTangent.fill(0) }
    var back = call
    back.outputGradient = tangent.mutable
    back.inputGradient = call.outputTangent
    back.addsInputGradient = false
    backward(back)
  }
}

/// An operation of which a sample's output depends on all others of the batch, of which each call has one shard.
protocol BatchOperation<Scalar>: Operation {
  /// What the others must know of this shard's inputs before the forward pass.
  func forwardNumbers(_ call: NodeCall<Scalar>) -> [Double]
  /// The forward pass, given the numbers of all shards in their order.
  func forward(_ call: NodeCall<Scalar>, _ shards: [BatchShard])
  /// What is added up over all shards before the backward pass: linear in the gradients of the outputs.
  func backwardNumbers(_ call: NodeCall<Scalar>) -> [Double]
  /// The backward pass, given this shard's numbers and the sums over all, both on the scale of this shard's gradients.
  func backward(_ call: NodeCall<Scalar>, own: [Double], sums: [Double])
}

/// What is known of a shard of the batch.
struct BatchShard {
  let samples: Int
  let numbers: ArraySlice<Double>
}

/// A parameter as its operation knows it.
struct OperationParameter: Sendable {
  /// The last part of its name.
  let name: String
  let shape: [Int]
  let role: ParameterRole
  let initial: InitialValue
}

/// A running average as its operation knows it.
struct OperationStatistic: Sendable {
  /// The last part of its name.
  let name: String
  let count: Int
  let initial: Double
}

/// The operands of a node in one pass. Matrices have one row a sample.
struct NodeCall<Scalar: KernelScalar> {
  let backend: any Backend
  let threads: Int
  let mode: PassMode
  /// The node's place, which gives it random numbers of its own.
  let index: Int

  var input: MatrixPointer<Scalar>
  /// The second input of a sum.
  var other: MatrixPointer<Scalar>?
  var output: MutableMatrixPointer<Scalar>
  var parameters: UnsafePointer<MatrixPointer<Scalar>>
  var statistics: UnsafePointer<MutableMatrixPointer<Scalar>>
  var saved: UnsafeMutablePointer<Scalar>

  // The backward pass.

  /// dL/dOutput.
  var outputGradient: MutableMatrixPointer<Scalar>
  /// Nil if nothing before this node learns.
  var inputGradient: MutableMatrixPointer<Scalar>?
  /// The input has other readers, whose gradients are there already.
  var addsInputGradient = false
  var otherGradient: MutableMatrixPointer<Scalar>?
  var addsOtherGradient = false
  /// The parameters belong to a later node, too, whose gradients are there already.
  var addsParameterGradients = false
  /// Nil if only captures are wanted.
  var parameterGradients: UnsafePointer<MutableMatrixPointer<Scalar>>?

  // The forward pass of tangents.

  /// Nil for zero.
  var inputTangent: MatrixPointer<Scalar>?
  var otherTangent: MatrixPointer<Scalar>?
  var outputTangent: MutableMatrixPointer<Scalar>
  var parameterTangents: UnsafePointer<MatrixPointer<Scalar>>

  var samples: Int { input.rows }
  /// The samples of the batch that batch norms see; more than here if this is a shard of it.
  var batchSamples: Int
  /// The elements of the output.
  var count: Int { output.rows * output.columns }
  /// 0 where the gradient of the input is overwritten, 1 where it is added to.
  var inputBeta: Scalar { addsInputGradient ? 1 : 0 }
}
