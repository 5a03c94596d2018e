public import FisherCurvature
public import FisherLinearAlgebra
import FisherRuntime

/// The parameters of a layer that a Kronecker-factored block belongs to, as one matrix [W b]: a row for each output.
///
/// Either may be missing, if another optimizer updates it. Axes of a convolution's weight after the first are one.
public struct KroneckerLayer: Sendable, Hashable {
  public let weight: ParameterInfo?
  public let bias: ParameterInfo?

  /// - Precondition: there is one, and they have as many outputs.
  public init(weight: ParameterInfo?, bias: ParameterInfo?) {
    require(
      (weight?.rows ?? bias?.count) == (bias?.count ?? weight?.rows) && !(weight == nil && bias == nil),
      "KroneckerLayer: \(weight?.summary ?? "no weight") and \(bias?.summary ?? "no bias")")
    self.weight = weight
    self.bias = bias
  }

  /// The layers of those of the parameters that are weights or biases, in their order.
  public static func layers(of parameters: [ParameterInfo]) -> [KroneckerLayer] {
    let weights = parameters.filter { $0.role == .linearWeight || $0.role == .convolutionWeight }
    var biases = parameters.filter { $0.role == .bias }
    var layers = weights.map { weight in
      let place = biases.firstIndex {
        $0.layer == weight.layer && $0.layer != nil && $0.count == weight.rows
      }
      return KroneckerLayer(weight: weight, bias: place.map { biases.remove(at: $0) })
    }
    layers += biases.map { KroneckerLayer(weight: nil, bias: $0) }
    return layers
  }

  /// The name under which state lies.
  public var owner: String { weight?.name ?? bias?.name ?? "" }
  /// The name under which captures come.
  public var layer: String? { weight?.layer ?? bias?.layer }
  /// The rows of [W b].
  public var outputs: Int { weight?.rows ?? bias?.count ?? 0 }
  /// The columns of [W b], the bias among them.
  public var inputs: Int { (weight?.columns ?? 0) + (bias == nil ? 0 : 1) }

  /// What its factors are for.
  public var parameters: LayerParameters {
    var parameters: LayerParameters = []
    if weight != nil { parameters.insert(.weight) }
    if bias != nil { parameters.insert(.bias) }
    return parameters
  }
}

extension KroneckerLayer {
  /// V ← μ·former + [W b]′, the gradient of both; without a former one it is the gradient.
  ///
  /// - Parameters:
  ///   - step: which has the gradients.
  ///   - μ: the factor of the former V.
  ///   - former: outputs × inputs; nil for zeros.
  ///   - V: outputs × inputs, overwritten.
  @specialized(where S == Float) @specialized(where S == Double)
  public func gradient<S: KernelScalar>(
    in step: borrowing Step<S>, plus μ: S = 0, times former: Matrix<S>? = nil, into V: inout Matrix<S>
  ) {
    let (rows, columns, width) = (outputs, inputs, weight?.columns ?? 0)
    let threads = step.threads
    var g, b: Matrix<S>?
    if let weight { g = step.gradient(weight).compacted() }
    if let bias { b = step.gradient(bias).compacted() }
    let former = former?.compacted()
    require(
      V.rows == rows && V.columns == columns && V.isContiguous
        && (former.map { $0.rows == rows && $0.columns == columns } ?? true),
      "KroneckerLayer: \(owner) is \(rows)×\(columns), the target \(V.rows)×\(V.columns)")
    let source = g.map { $0.withPointer { $0.base } }
    let borders = b.map { $0.withPointer { $0.base } }
    let old = former.map { $0.withPointer { $0.base } }
    V.withMutablePointer(discarding: true) { V in
      let V = V.base
      Parallel.performRows(rows, columns: columns, threads: threads) { range in
        for i in range {
          let row = V + i * columns
          if let source { row.update(from: source + i * width, count: width) }
          if let borders { row[width] = borders[i] }
          if let old { addProduct(μ, old + i * columns, to: row, count: columns) }
        }
      }
    }
    withExtendedLifetime((g, b, former)) {}
  }

  /// What of a matrix of this shape belongs to which parameter, as a view shaped as that.
  public func parts<S: KernelScalar>(of V: Matrix<S>) -> [(parameter: ParameterInfo, part: Matrix<S>)] {
    let width = weight?.columns ?? 0
    var parts: [(parameter: ParameterInfo, part: Matrix<S>)] = []
    if let weight { parts.append((weight, V[rows: 0..., columns: 0..<width])) }
    if let bias {
      let column = V[rows: 0..., columns: width..<width + 1]
      parts.append((bias, column.reshaped(rows: bias.rows, columns: bias.columns)))
    }
    return parts
  }
}

/// y ← μ·x + y
@inline(__always)
private func addProduct<S: KernelScalar>(
  _ μ: S, _ x: UnsafePointer<S>, to y: UnsafeMutablePointer<S>, count: Int
) {
  for j in 0..<count { y[j] += μ * x[j] }
}
