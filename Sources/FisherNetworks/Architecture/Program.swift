import FisherCurvature
import FisherLinearAlgebra
import FisherRuntime

/// A network as a list of nodes between slots. Slot 0 is the input; a node reads slots before its own.
struct Program<Scalar: KernelScalar>: Sendable {
  /// What each slot holds for a sample.
  private(set) var slots: [SampleShape]
  private(set) var nodes: [Node<Scalar>] = []
  private(set) var parameters: [(info: ParameterInfo, initial: InitialValue)] = []
  private(set) var statistics: [(name: String, count: Int, initial: Double)] = []
  private(set) var output: Stream
  /// Of all weights, in a type that does not overflow.
  private var bytes = 0.0

  /// What flows between two layers: where it is, and how it is looked at.
  struct Stream {
    var slot: Int
    var shape: SampleShape
  }

  /// - Throws: ``NetworkError/shape(layer:wanted:got:)`` or ``NetworkError/memory(layer:shortage:)``.
  init(input: SampleShape, _ layers: [Layer]) throws(NetworkError) {
    slots = [input]
    output = Stream(slot: 0, shape: input)
    output = try append(layers, after: output, prefix: "layers")
    if output.slot == 0 { throw .shape(layer: "the output", wanted: "a layer before it", got: input) }
    planGradients()
  }

  /// Appends layers in a row.
  private mutating func append(
    _ layers: [Layer], after stream: Stream, prefix: String
  ) throws(NetworkError) -> Stream {
    var stream = stream
    var i = 0
    while i < layers.count {
      let next = i + 1 < layers.count ? Rectifier<Scalar>(layers[i + 1]) : nil
      let isFused = next != nil && layers[i].takesRectifier
      stream = try append(
        layers[i], isFused ? next ?? .none : .none, after: stream, name: "\(prefix).\(i)")
      i += isFused ? 2 : 1
    }
    return stream
  }

  /// Appends one layer, ended by a rectifier.
  private mutating func append(
    _ layer: Layer, _ rectifier: Rectifier<Scalar>, after stream: Stream, name: String
  ) throws(NetworkError) -> Stream {
    switch layer {
    case .flatten: return Stream(slot: stream.slot, shape: SampleShape([stream.shape.count]))
    case .sequential(let layers): return try append(layers, after: stream, prefix: name)
    case .residual(let body, let shortcut):
      let sum = try append(body, after: stream, prefix: name + ".body")
      let other = try append(shortcut, after: stream, prefix: name + ".shortcut")
      if sum.shape != other.shape {
        throw .shape(layer: name, wanted: "a shortcut with the body's shape \(sum.shape)", got: other.shape)
      }
      return append(SumOperation(rectifier: rectifier), name, [sum.slot, other.slot], sum.shape)
    case .unembedding: return try appendUnembedding(after: stream, name)
    default:
      bytes += layer.mostNumbers(on: stream.shape) * Double(MemoryLayout<Scalar>.stride)
      if let shortage = MachineMemory.shortage(bytes) { throw .memory(layer: name, shortage: shortage) }
      let (operation, shape) = try layer.operation(on: stream.shape, rectifier, name: name)
      return append(operation, name, [stream.slot], shape)
    }
  }

  /// Appends a node with its parameters and statistics.
  private mutating func append(
    _ operation: any Operation<Scalar>, _ name: String, _ inputs: [Int], _ shape: SampleShape
  ) -> Stream {
    let (firstParameter, firstStatistic) = (parameters.count, statistics.count)
    for parameter in operation.parameters {
      let info = ParameterInfo(
        name: "\(name).\(parameter.name)", shape: parameter.shape, role: parameter.role,
        layer: operation.kind == nil ? nil : name)
      parameters.append((info, parameter.initial))
    }
    for statistic in operation.statistics {
      statistics.append(("\(name).\(statistic.name)", statistic.count, statistic.initial))
    }
    slots.append(shape)
    nodes.append(
      Node(
        name: name, operation: operation, input: inputs[0], other: inputs.count > 1 ? inputs[1] : nil,
        output: slots.count - 1, parameters: firstParameter..<parameters.count,
        statistics: firstStatistic..<statistics.count))
    return Stream(slot: slots.count - 1, shape: shape)
  }

  /// Appends the product with the table of the embedding, which becomes the weight of a linear layer, too.
  private mutating func appendUnembedding(after stream: Stream, _ name: String) throws(NetworkError) -> Stream
  {
    guard let place = nodes.firstIndex(where: { $0.operation is EmbeddingOperation<Scalar> }),
      let table = nodes[place].operation as? EmbeddingOperation<Scalar>,
      !nodes.contains(where: { $0.table != nil }), !stream.shape.isImage, stream.shape.features == table.width
    else {
      throw .shape(
        layer: name, wanted: "one embedding before it, of as many features, used once", got: stream.shape)
    }
    let weight = nodes[place].parameters
    let info = parameters[weight.lowerBound].info
    parameters[weight.lowerBound] = (
      ParameterInfo(name: info.name, shape: info.shape, role: .linearWeight, layer: info.layer),
      .normal(deviation: 0.02)
    )
    let shape = SampleShape(stream.shape.axes.dropLast() + [table.tokens])
    let operation = LinearOperation<Scalar>(
      inputs: table.width, outputs: table.tokens, positions: stream.shape.positions, hasBias: false,
      rectifier: .none)
    slots.append(shape)
    nodes.append(
      Node(
        name: name, operation: operation, input: stream.slot, other: nil, output: slots.count - 1,
        parameters: weight, statistics: statistics.count..<statistics.count, table: place))
    return Stream(slot: slots.count - 1, shape: shape)
  }

  /// Decides who needs gradients, and in a backward pass who is the first to write each of them.
  private mutating func planGradients() {
    var learns = [Bool](repeating: false, count: slots.count)
    for i in nodes.indices {
      let (input, other) = (nodes[i].input, nodes[i].other)
      nodes[i].inputLearns = learns[input]
      nodes[i].otherLearns = other.map { learns[$0] } ?? false
      learns[nodes[i].output] = nodes[i].inputLearns || nodes[i].otherLearns || !nodes[i].parameters.isEmpty
    }
    var isWritten = [Bool](repeating: false, count: slots.count)
    var isSummed = [Bool](repeating: false, count: parameters.count)
    for i in nodes.indices.reversed() where learns[nodes[i].output] {
      nodes[i].learns = true
      nodes[i].addsParameters = nodes[i].parameters.contains { isSummed[$0] }
      for parameter in nodes[i].parameters { isSummed[parameter] = true }
      nodes[i].addsInput = isWritten[nodes[i].input]
      isWritten[nodes[i].input] = true
      guard let other = nodes[i].other else { continue }
      nodes[i].addsOther = isWritten[other]
      isWritten[other] = true
    }
  }
}

/// An operation in its place.
struct Node<Scalar: KernelScalar>: Sendable {
  let name: String
  let operation: any Operation<Scalar>
  let input: Int
  /// The second input of a sum.
  let other: Int?
  let output: Int
  /// The places of its parameters.
  let parameters: Range<Int>
  /// The places of its running averages.
  let statistics: Range<Int>
  /// The place of the embedding whose table it multiplies with.
  var table: Int?

  /// Something before its output learns, so the backward pass visits it.
  var learns = false
  var inputLearns = false
  var otherLearns = false
  /// Another reader has written the input's gradient before.
  var addsInput = false
  /// A later node has written the gradients of its parameters before.
  var addsParameters = false
  var addsOther = false
}
