public import FisherCurvature
public import FisherLinearAlgebra
import FisherRuntime

/// A network: its layers, the shapes between them, its named parameters and its loss. A value without weights.
///
///     let network = try Network<Float>(input: [64], [.linear(128), .relu, .linear(10)])
///     var values = network.initialValues(seed: 1)
///     var gradients = network.zeros()
///     let workspace = network.makeWorkspace()
///     let loss = workspace.forward(values, images, .classes(digits), mode: .training(seed: 1))
///     workspace.backward(values, into: &gradients)
public struct Network<Scalar: KernelScalar>: Sendable, CustomStringConvertible {
  /// The shape of a sample at the input.
  public let input: SampleShape
  /// The shape of a sample at the output.
  public let output: SampleShape
  /// In the order of all lists of values and gradients.
  public let parameters: [ParameterInfo]
  /// Input, layers and loss: `[64] → linear(10, bias: true) → softmaxCrossEntropy(labelSmoothing: 0.0), mean`.
  public let description: String
  let program: Program<Scalar>
  let loss: LossFunction
  let reduction: any LossReduction.Type

  /// - Throws: ``NetworkError/shape(layer:wanted:got:)`` where a layer cannot follow the one before it.
  public init<Reduction: LossReduction>(
    input: SampleShape, _ layers: [Layer], loss: Loss<Reduction> = Loss<MeanReduction>.standard
  ) throws(NetworkError) {
    program = try Program(input: input, layers)
    self.input = input
    self.loss = loss.function
    reduction = Reduction.self
    output = program.output.shape
    parameters = program.parameters.map(\.info)
    let texts = ["\(input)"] + layers.map { "\($0)" } + ["\(loss.function), \(Reduction.self)"]
    description = texts.joined(separator: " → ").replacing("FisherNetworks.", with: "").replacing(
      "Layer.", with: "")
  }

  /// The first weights. The same seed gives the same values; every parameter has a random sequence of its own.
  public func initialValues(seed: UInt64, _ initialization: Initialization = .pytorch) -> [Matrix<Scalar>] {
    program.parameters.enumerated().map { index, parameter in
      initialization.values(parameter.info, parameter.initial, RandomStream(seed, 1, UInt64(index)))
    }
  }

  /// The names of the running averages, `layers.1.runningMean`, in the order of ``Workspace/statistics``.
  public var statisticNames: [String] { program.statistics.map(\.name) }

  /// Zeros in the shapes of the parameters: room for gradients.
  public func zeros() -> [Matrix<Scalar>] {
    parameters.map { Matrix(rows: $0.rows, columns: $0.columns) }
  }

  /// The number of weights.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

  /// The numbers that a step of training holds at least: weights, their gradients, and for each sample what goes forward
  /// and comes back.
  package func leastNumbers(samples: Int) -> Double {
    let perSample = program.slots.reduce(0) { $0 + Double($1.count) }
    return 2 * (Double(parameterCount) + Double(samples) * perSample)
  }

  /// The flops of the products in a forward and a backward pass: the textbook's count.
  public func productFlops(samples: Int) -> Double {
    Double(samples) * program.nodes.reduce(0) { $0 + $1.operation.productFlops * ($1.inputLearns ? 3 : 2) }
  }

  /// Buffers for passes through this network.
  public func makeWorkspace(
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) -> Workspace<Scalar> {
    Workspace(self, backend: backend, threads: threads)
  }
}
