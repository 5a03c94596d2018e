import FisherLinearAlgebra
import FisherOptimizers

/// The mini-blocks of one parameter, or of a dense layer's weight and bias together.
///
/// What belongs to the blocks is kept as the rows of a matrix of vectors: a row for every kernel or neuron.
struct BlockGroup {
  enum Form {
    /// Every element is a block.
    case diagonal
    /// Every row of the vectors has a block of its own.
    case separate
    /// Every row has the same block, the average of theirs.
    case shared
    /// As `separate`, where each Ĝ is v·vᵀ: v is kept instead.
    case rankOne
  }

  let form: Form
  let weight: ParameterInfo
  /// The bias that is the last entry of each vector.
  let bias: ParameterInfo?
  /// The rows of the vectors.
  let rows: Int
  /// n, the length of each vector, and the order of the blocks unless they are single elements.
  let columns: Int

  /// The name under which the state lies.
  var owner: String { weight.name }

  /// The groups of all parameters, in their order.
  static func groups(of parameters: [ParameterInfo], for method: MiniBlockFisher) -> [BlockGroup] {
    // With β = 0 a mean gradient leaves one product.
    let isRankOne = method.beta == 0 && method.warmStart <= 1 && method.statistics == .mean
    let separate = isRankOne ? Form.rankOne : .separate
    let dense = method.dense == .perNeuron ? separate : .shared
    func biasOf(_ weight: ParameterInfo) -> ParameterInfo? {
      guard let layer = weight.layer else { return nil }
      return parameters.first { $0.layer == layer && $0.role == .bias && $0.count == weight.rows }
    }
    let weights = parameters.filter { $0.role == .linearWeight && $0.count > 0 }
    let joined = Set(weights.compactMap { biasOf($0)?.name })
    return parameters.compactMap { parameter in
      if joined.contains(parameter.name) { return nil }
      let taps = parameter.shape.dropFirst(2).reduce(1, *)
      if parameter.role == .linearWeight && parameter.count > 0 {
        let bias = biasOf(parameter)
        return BlockGroup(
          form: dense, weight: parameter, bias: bias, rows: parameter.rows,
          columns: parameter.columns + (bias == nil ? 0 : 1))
      }
      if parameter.role == .convolutionWeight && taps > 1 {
        return BlockGroup(
          form: separate, weight: parameter, bias: nil, rows: parameter.count / taps, columns: taps)
      }
      return BlockGroup(
        form: .diagonal, weight: parameter, bias: nil, rows: parameter.rows, columns: parameter.columns)
    }
  }

  /// The shape of Ĝ: separate blocks are interleaved triangles, and of a shared one only the lower triangle is used.
  func statisticsShape<S: KernelScalar>(_: S.Type) -> (rows: Int, columns: Int) {
    switch form {
    case .diagonal, .rankOne: (rows, columns)
    case .separate: InterleavedBatch<S>.shape(count: rows, order: columns)
    case .shared: (columns, columns)
    }
  }

  func zeroStatistics<S: KernelScalar>() -> Matrix<S> {
    let shape = statisticsShape(S.self)
    return Matrix(rows: shape.rows, columns: shape.columns)
  }

  /// Separate blocks, as they lie in the state.
  func blocks<S: KernelScalar>(_ elements: Matrix<S>) -> InterleavedBatch<S> {
    InterleavedBatch(elements: elements, count: rows, order: columns)
  }

  /// Separate blocks that will all be written.
  func blocks<S: KernelScalar>(overwriting memory: consuming Matrix<S>) -> InterleavedBatch<S> {
    InterleavedBatch(overwriting: memory, count: rows, order: columns)
  }

  /// The vectors of a weight's gradient, without the bias.
  func weightVectors<S: KernelScalar>(_ weight: Matrix<S>) -> Matrix<S> {
    weight.reshaped(rows: rows, columns: columns - (bias == nil ? 0 : 1))
  }

  /// The vectors of a gradient, or of the gradients of several samples one after the other.
  func vectors<S: KernelScalar>(_ weight: Matrix<S>, _ bias: Matrix<S>?) -> Matrix<S> {
    let width = columns - (bias == nil ? 0 : 1)
    let all = weight.reshaped(rows: width == 0 ? rows : weight.count / width, columns: width)
    guard let bias else { return all }
    var joined = Matrix<S>(rows: all.rows, columns: columns)
    joined[rows: 0..., columns: 0..<width] = all
    joined[rows: 0..., columns: width..<columns] = bias.reshaped(rows: all.rows, columns: 1)
    return joined
  }

  /// What of the vectors belongs to which parameter.
  func parts<S: KernelScalar>(of vectors: Matrix<S>) -> [(ParameterInfo, Matrix<S>)] {
    guard let bias else {
      return [(weight, vectors.reshaped(rows: weight.rows, columns: weight.columns))]
    }
    let last = columns - 1
    return [
      (weight, vectors[rows: 0..., columns: 0..<last]),
      (bias, vectors[rows: 0..., columns: last..<columns].reshaped(rows: bias.rows, columns: bias.columns)),
    ]
  }
}
