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
        seed: seed, steps: 6, invariance.concernsUnits ? twoLayers : Trace.awkward)
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

extension Invariance {
  fileprivate var concernsUnits: Bool { self == .unitPermutation || self == .rotation }
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
    case .elementPermutation: return shuffle
    case .unitPermutation: return units
    case .sign: return negation
    case .rotation: return rotation
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
              .multiplyingHessian(by: c)
          })
      }, undo: { $1 }, bound: 1e-5)
  }

  /// Elements in an order that knows no rows: place i goes to i·s mod n, s without a common divisor with n.
  private static var shuffle: Symmetry {
    func places(_ n: Int) -> [Int] {
      let s = (max(1, n / 3)...max(1, n)).first { divisor(n, $0) == 1 } ?? 1
      return (0..<n).map { $0 * s % n }
    }
    func shuffled(_: ParameterInfo, _ x: [Double]) -> [Double] { places(x.count).map { x[$0] } }
    return Symmetry(
      apply: { $0.changed(value: shuffled, gradient: shuffled, batch: { $0 }) },
      undo: { _, x in
        var back = x
        for (i, place) in places(x.count).enumerated() { back[place] = x[i] }
        return back
      }, bound: 1e-12)
  }

  /// The greatest common divisor.
  private static func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }

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
    changing(bound: 1e-11) { n in Matrix(rows: n, columns: n) { $0 + $1 == n - 1 ? 1 : 0 } }
  }

  /// The units before and behind every linear layer rotated: θ → R·θ·Qᵀ with orthogonal R and Q.
  private static var rotation: Symmetry {
    changing(bound: 1e-9) { n in
      // A reflection along a vector without any symmetry of its own.
      let v = (0..<n).map { Double($0 + 1) }
      let length = v.reduce(0) { $0 + $1 * $1 }
      return Matrix(rows: n, columns: n) { ($0 == $1 ? 1 : 0) - 2 * v[$0] * v[$1] / length }
    }
  }

  /// The units before and behind every linear layer replaced by others, x → O·x with O symmetric and orthogonal.
  private static func changing(
    bound: Double, _ O: @escaping @Sendable (Int) -> Matrix<Double>
  ) -> Symmetry {
    func turned(_ parameter: ParameterInfo, _ x: [Double]) -> [Double] {
      // A vector is a column behind the layer.
      let isVector = parameter.shape.count == 1
      let (rows, columns) = isVector ? (x.count, 1) : (parameter.rows, parameter.columns)
      let left = O(rows).multiplied(by: Matrix(x, rows: rows, columns: columns))
      return isVector ? left.array : left.multiplied(by: O(columns)).array
    }
    @Sendable func turned(_ x: Matrix<Double>) -> Matrix<Double> { x.multiplied(by: O(x.columns)) }
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
      }, undo: turned, bound: bound)
  }
}
