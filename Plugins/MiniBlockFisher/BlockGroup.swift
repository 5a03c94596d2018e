import FisherCurvature
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

  /// The groups of all parameters, dense layers first.
  static func groups(of parameters: [ParameterInfo], for method: MiniBlockFisher) -> [BlockGroup] {
    // With β = 0 a mean gradient leaves one product.
    let isRankOne = method.beta == 0 && method.warmStart <= 1 && method.statistics == .mean
    let separate = isRankOne ? Form.rankOne : .separate
    let layers = KroneckerLayer.layers(
      of: parameters.filter { $0.role != .convolutionWeight && $0.count > 0 })
    let dense = layers.compactMap { layer in
      layer.weight.map {
        BlockGroup(
          form: method.dense == .perNeuron ? separate : .shared, weight: $0, bias: layer.bias,
          rows: layer.outputs, columns: layer.inputs)
      }
    }
    let taken = Set(dense.flatMap { [$0.weight.name, $0.bias?.name] })
    return dense
      + parameters.filter { !taken.contains($0.name) }.map { parameter in
        let taps = parameter.shape.dropFirst(2).reduce(1, *)
        let hasKernels = parameter.role == .convolutionWeight && taps > 1
        return BlockGroup(
          form: hasKernels ? separate : .diagonal, weight: parameter, bias: nil,
          rows: hasKernels ? parameter.count / taps : parameter.rows,
          columns: hasKernels ? taps : parameter.columns)
      }
  }

  /// The shape of Ĝ: separate blocks are interleaved triangles, and of a shared one only the lower triangle is used.
  func shape<S: KernelScalar>(_: S.Type) -> (rows: Int, columns: Int) {
    switch form {
    case .diagonal, .rankOne: (rows, columns)
    case .separate: InterleavedBatch<S>.shape(count: rows, order: columns)
    case .shared: (columns, columns)
    }
  }

  /// Ĝ before the first update.
  func zeros<S: KernelScalar>() -> Matrix<S> {
    let (rows, columns) = shape(S.self)
    return Matrix(rows: rows, columns: columns)
  }

  /// Separate blocks, as they lie in the state.
  func blocks<S: KernelScalar>(_ elements: Matrix<S>) -> InterleavedBatch<S> {
    InterleavedBatch(elements: elements, count: rows, order: columns)
  }

  /// What of the vectors belongs to which parameter.
  func parts<S: KernelScalar>(of vectors: Matrix<S>) -> [(parameter: ParameterInfo, part: Matrix<S>)] {
    let layer = KroneckerLayer(weight: weight, bias: bias)
    return layer.parts(of: vectors.reshaped(rows: layer.outputs, columns: layer.inputs))
  }
}
