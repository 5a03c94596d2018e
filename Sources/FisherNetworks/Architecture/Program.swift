import FisherCurvature
import FisherLinearAlgebra

/// A network as a list of nodes between slots. Slot 0 is the input; a node reads slots before its own.
struct Program<Scalar: KernelScalar>: Sendable {
  struct Parameter: Sendable {
    let info: ParameterInfo
    let initial: InitialValue
  }

  /// What each slot holds for a sample.
  private(set) var slots: [SampleShape]
  private(set) var nodes: [Node<Scalar>] = []
  private(set) var parameters: [Parameter] = []
  private(set) var output = 0

  /// - Throws: ``NetworkError/shape(layer:wanted:got:)``.
  init(input: SampleShape, _ layers: [Layer]) throws(NetworkError) {
    slots = [input]
    output = try append(layers, after: 0, prefix: "layers")
  }

  /// Appends layers in a row.
  ///
  /// - Returns: the slot of the last output.
  private mutating func append(_ layers: [Layer], after slot: Int, prefix: String) throws(NetworkError) -> Int
  {
    var slot = slot
    var i = 0
    while i < layers.count {
      let next = i + 1 < layers.count ? layers[i + 1] : nil
      let name = "\(prefix).\(i)"
      if let rectifier = Self.fused(next), layers[i].takesActivation {
        slot = try append(layers[i], rectifier, after: slot, name: name)
        i += 2
      } else {
        slot = try append(layers[i], .none, after: slot, name: name)
        i += 1
      }
    }
    return slot
  }

  /// The layer as the end of a product, if it is an activation that can be.
  private static func fused(_ layer: Layer?) -> Rectifier<Scalar>? {
    switch layer {
    case .relu: Rectifier(slope: 0)
    case .leakyRelu(let slope) where slope > 0: Rectifier(slope: Scalar(slope))
    default: nil
    }
  }

  private mutating func append(
    _ layer: Layer, _ rectifier: Rectifier<Scalar>, after slot: Int, name: String
  ) throws(NetworkError) -> Int {
    let shape = slots[slot]
    switch layer {
    case .linear(let outputs, let bias):
      if shape.isImage { throw .shape(layer: name, wanted: "features (flatten comes before)", got: shape) }
      return append(
        LinearOperation<Scalar>(
          inputs: shape.features, outputs: outputs, positions: shape.positions, hasBias: bias,
          rectifier: rectifier),
        name, [slot], SampleShape(shape.axes.dropLast() + [outputs]))
    case .relu: return append(RectifierOperation<Scalar>(slope: 0), name, [slot], shape)
    case .leakyRelu(let slope):
      return append(RectifierOperation<Scalar>(slope: Scalar(slope)), name, [slot], shape)
    case .flatten:
      // The elements lie as they did; only the shape is another.
      slots[slot] = SampleShape([shape.count])
      return slot
    case .sequential(let layers): return try append(layers, after: slot, prefix: name)
    }
  }

  /// Appends a node with its parameters.
  ///
  /// - Returns: the slot of its output.
  private mutating func append(
    _ operation: any Operation<Scalar>, _ name: String, _ inputs: [Int], _ shape: SampleShape
  ) -> Int {
    let first = parameters.count
    for parameter in operation.parameters {
      let info = ParameterInfo(
        name: "\(name).\(parameter.name)", shape: parameter.shape, role: parameter.role,
        layer: operation.kind == nil ? nil : name)
      parameters.append(Parameter(info: info, initial: parameter.initial))
    }
    slots.append(shape)
    nodes.append(
      Node(
        name: name, operation: operation, input: inputs[0], output: slots.count - 1,
        parameters: first..<parameters.count))
    return slots.count - 1
  }
}

/// An operation in its place.
struct Node<Scalar: KernelScalar>: Sendable {
  let name: String
  let operation: any Operation<Scalar>
  let input: Int
  let output: Int
  /// The places of its parameters.
  let parameters: Range<Int>
}

extension Layer {
  /// An activation behind it can be computed by the end of its product.
  var takesActivation: Bool {
    switch self {
    case .linear: true
    default: false
    }
  }
}
