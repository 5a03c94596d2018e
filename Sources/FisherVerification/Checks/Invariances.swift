import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

extension Check {
  /// The check of an invariance that the record declares.
  static func invariance(_ invariance: Invariance) -> Check {
    Check(
      name: "invariance-" + invariance.rawValue.replacing(" ", with: "-"),
      meaning: "declared invariance: \(invariance.rawValue)",
      applies: { $0.invariances.contains(invariance) }
    ) { subject in
      let trace = subject.trace(
        seed: seed, steps: 6, invariance == .unitPermutation ? twoLayers : Trace.awkward)
      let symmetry = Symmetry.of(invariance)
      let plain = try subject.run(trace, Double.self, subject.probe)
      let moved = try subject.run(symmetry.apply(trace), Double.self, subject.probe)
      let back = zip(trace.parameters, moved).map(symmetry.undo)
      let error = try demandClose(back, plain, within: symmetry.bound, invariance.rawValue)
      return "relative error \(short(error))"
    }
  }

  /// Two linear layers with biases, each fed by its own inputs.
  private static let twoLayers = [
    ParameterInfo(name: "a.weight", shape: [5, 7], role: .linearWeight, layer: "a"),
    ParameterInfo(name: "a.bias", shape: [5], role: .bias, layer: "a"),
    ParameterInfo(name: "c.weight", shape: [6, 6], role: .linearWeight, layer: "c"),
  ]
}

/// A change of a run under which an optimizer may be invariant.
struct Symmetry {
  let apply: (Trace) -> Trace
  /// From the weights of the changed run to those of the plain one.
  let undo: (ParameterInfo, [Double]) -> [Double]
  let bound: Double

  static func of(_ invariance: Invariance) -> Symmetry {
    switch invariance {
    case .lossScale: return scale(1024)
    case .elementPermutation: return reversal
    case .unitPermutation: return units
    case .sign: return negation
    }
  }

  /// ℓ → c·ℓ: the bound leaves room for an ε beside the second moments.
  private static func scale(_ c: Double) -> Symmetry {
    Symmetry(
      apply: { trace in
        trace.changed(
          value: { $1 }, gradient: { $1.map { $0 * c } },
          batch: { batch in
            batch.mapLayers { $0.replacing($0.outputGradients.multiplied(by: c)) }
              .replacing(outputGradients: batch.outputGradients?.multiplied(by: c))
          })
      }, undo: { $1 }, bound: 1e-5)
  }

  private static var reversal: Symmetry {
    Symmetry(
      apply: { $0.changed(value: { $1.reversed() }, gradient: { $1.reversed() }, batch: { $0 }) },
      undo: { $1.reversed() }, bound: 1e-12)
  }

  /// θ → −θ: inputs stay, everything behind the layer changes its sign.
  private static var negation: Symmetry {
    Symmetry(
      apply: { trace in
        trace.changed(
          value: { $1.map(-) }, gradient: { $1.map(-) },
          batch: { $0.mapLayers { $0.replacing($0.outputGradients.multiplied(by: -1)) } })
      }, undo: { $1.map(-) }, bound: 1e-12)
  }

  /// The units before and behind every linear layer in the reverse order.
  private static var units: Symmetry {
    func turned(_ parameter: ParameterInfo, _ x: [Double]) -> [Double] { x.reversed() }
    func turned(_ x: Matrix<Double>) -> Matrix<Double> {
      Matrix(rows: x.rows, columns: x.columns) { x[$0, x.columns - 1 - $1] }
    }
    return Symmetry(
      apply: { trace in
        trace.changed(
          value: turned, gradient: turned,
          batch: { batch in
            batch.mapLayers { layer in
              let gradients = layer.outputGradients
              return LayerCapture(
                kind: layer.kind, inputs: turned(layer.inputs),
                outputGradients: .ofMean(
                  turned(gradients.values),
                  terms: Int((gradients.scaleToSum / gradients.scaleToMean).rounded())),
                sampleCount: layer.sampleCount)
            }
          })
      }, undo: turned, bound: 1e-11)
  }
}
