import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherTraining

/// What a layer of a trace looks like: enough to draw a random capture of it.
struct CaptureShape {
  let kind: LayerKind
  let inputs: Int
  let outputs: Int
  /// Rows of a sample.
  var positions = 1

  /// Three samples in [−1, 1), exact in `Float`; the gradients are those of a mean loss.
  ///
  /// - Parameter other: another backward pass of the same batch, whose inputs stay.
  func capture(
    _ generator: inout KeyedGenerator, inputsOf other: LayerCapture<Double>? = nil
  ) -> LayerCapture<Double> {
    let samples = 3
    let rows = samples * positions
    let h =
      other?.inputs
      ?? Matrix<Double>(rows: rows, columns: inputs) { _, _ in
        if case .embedding(let tokens) = kind { return Double(generator.below(tokens)) }
        return generator.uniform()
      }
    let s = Matrix<Double>(rows: rows, columns: outputs) { _, _ in generator.uniform() }
    return LayerCapture(
      kind: kind, inputs: h, outputGradients: .ofMean(s, terms: samples), sampleCount: samples, normalized: h)
  }
}

extension Trace {
  /// A batch of three samples that knows everything.
  static func batch(
    _ kinds: [String: CaptureShape], _ parameters: [ParameterInfo], _ generator: inout KeyedGenerator
  ) -> PlainObjective<Double> {
    RandomBatch(samples: 3, outputs: 3, layers: kinds.keys.sorted()) { layer, first, generator in
      kinds[layer]!.capture(&generator, inputsOf: first)
    }.draw(&generator) { hessian(of: parameters, $0) }
  }

  /// A diagonal matrix and a dyad of all parameters: symmetric, indefinite, and no parameter is alone.
  private static func hessian(
    of parameters: [ParameterInfo], _ generator: KeyedGenerator
  ) -> PlainObjective<Double>.Hessian {
    var generator = generator
    let diagonals = parameters.map { p in (0..<p.count).map { _ in generator.uniform() } }
    let dyads = parameters.map { p in (0..<p.count).map { _ in generator.uniform() } }
    return { direction in
      var inner = 0.0
      for (p, u) in zip(parameters, dyads) {
        guard let v = direction[p.name]?.array else { continue }
        inner += zip(u, v).reduce(0) { $0 + $1.0 * $1.1 }
      }
      var products: [String: Matrix<Double>] = [:]
      for (p, (a, u)) in zip(parameters, zip(diagonals, dyads)) {
        let v = direction[p.name]?.array ?? a.map { _ in 0 }
        products[p.name] = Matrix(
          v.indices.map { a[$0] * v[$0] + 0.1 * u[$0] * inner }, rows: p.rows, columns: p.columns)
      }
      return products
    }
  }

  /// A layer for every layer name among the parameters: positions, strides and padding where the kind allows them.
  static func kinds(of parameters: [ParameterInfo]) -> [String: CaptureShape] {
    let named = Dictionary(grouping: parameters.filter { $0.layer != nil }, by: { $0.layer! })
    return named.compactMapValues { group in
      let hasBias = group.contains { $0.role == .bias }
      guard let weight = group.first(where: { $0.role != .bias && $0.role != .normShift }) else { return nil }
      let width = weight.columns
      switch weight.role {
      case .linearWeight:
        return CaptureShape(
          kind: .linear(hasBias: hasBias), inputs: width, outputs: weight.rows, positions: 2)
      case .convolutionWeight:
        let shape = ConvolutionGeometry(
          channels: weight.shape[1], height: 5, width: 4, outputs: weight.shape[0],
          kernelHeight: weight.shape[2], kernelWidth: weight.shape[3], stride: 2, padding: 1)
        return CaptureShape(
          kind: .convolution(shape, hasBias: hasBias), inputs: shape.channels * 20,
          outputs: shape.outputs * shape.positions)
      case .normScale where weight.name.hasPrefix("l"):
        return CaptureShape(kind: .layerNorm, inputs: width, outputs: width, positions: 2)
      case .normScale:
        return CaptureShape(
          kind: .batchNorm(channels: width, area: 4), inputs: 4 * width, outputs: 4 * width)
      case .embedding:
        return CaptureShape(
          kind: .embedding(tokens: weight.rows), inputs: 1, outputs: width, positions: 4)
      case .bias, .normShift, .plain: return nil
      }
    }
  }
}

extension PlainObjective where Scalar == Double {
  /// The same batch in another precision, with what a step needs and no more: as a trainer would.
  public func converted<S: KernelScalar>(to _: S.Type, needs: Needs) -> PlainObjective<S> {
    PlainObjective<S>(
      loss: loss, sampleCount: sampleCount,
      captures: !needs.isDisjoint(with: .captures) ? captures?.converted(to: S.self) : nil,
      outputGradients: needs.contains(.logitGradients) ? outputGradients?.converted(to: S.self) : nil,
      sampled: needs.contains(.sampledLabels) ? (try? sampledCaptures())?.converted(to: S.self) : nil,
      exact: needs.contains(.exactFisher) ? (try? exactFisher())?.converted(to: S.self) : nil,
      secondPass: needs.contains(.evaluation) ? convertedSecondPass(to: S.self) : nil,
      hessian: needs.contains(.hessianProducts) ? convertedHessian(to: S.self) : nil)
  }

  private func convertedHessian<S: KernelScalar>(to _: S.Type) -> PlainObjective<S>.Hessian? {
    guard let hessian else { return nil }
    return { direction in
      hessian(
        direction.mapValues { Matrix($0.array.map { Double($0) }, rows: $0.rows, columns: $0.columns) }
      ).mapValues { Matrix($0.array.map { S($0) }, rows: $0.rows, columns: $0.columns) }
    }
  }

  private func convertedSecondPass<S: KernelScalar>(to _: S.Type) -> PlainObjective<S>.SecondPass? {
    guard let secondPass else { return nil }
    return { values in
      secondPass(
        values.mapValues { Matrix($0.array.map { Double($0) }, rows: $0.rows, columns: $0.columns) }
      ).converted(to: S.self)
    }
  }
}
