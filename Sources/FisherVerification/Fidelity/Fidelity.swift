import FisherLinearAlgebra
public import FisherOptimizers
public import FisherTraining

/// An optimizer with its hyper-parameters, under a name for tables.
public struct Candidate: Sendable {
  public let label: String
  public let optimizer: any Optimizer
  /// Each layer is updated as if it were alone.
  public let isLayerwise: Bool

  public init(_ label: String, _ optimizer: any Optimizer, isLayerwise: Bool = false) {
    self.label = label
    self.optimizer = optimizer
    self.isLayerwise = isLayerwise
  }
}

/// How close an optimizer's direction is to the exact natural gradient, at one place of a training run.
public struct Fidelity: Sendable {
  public let label: String
  /// γ(Δ) over γ of the gradient: below 1 is better than gradient descent (Wu et al. 2024, equation 15).
  public let relativeγ: Double
  /// The cosine of the angle between Δ and the natural gradient, over all parameters.
  public let cosine: Double
  /// The cosine of the angle between Δ and the natural gradient of each layer by itself, the exact layerwise Gauss-Newton
  /// step.
  public let layerwiseCosine: Double
  /// ‖Δ‖ over the natural gradient's length.
  public let length: Double
  /// Milliseconds of a step, passes included: the mean over the candidate's steps, the least of the batches.
  public let milliseconds: Double
}

extension Trainer {
  /// Measures candidates on batches of training examples at the current weights; means over the batches.
  ///
  /// Each candidate starts without a past, or with one of as many steps as are said: running averages hold this batch alone.
  ///
  /// - Parameters:
  ///   - candidates: whose directions are measured.
  ///   - natural: the exact natural gradient, with little damping.
  ///   - samples: of each batch.
  ///   - batches: how many.
  ///   - past: steps before the one that is measured, of the same batch at the same weights.
  /// - Throws: ``StepRefusal`` if a candidate refuses its step; what ``Trainer/probe(count:number:)`` throws.
  public func fidelity(
    of candidates: [Candidate], natural: any Optimizer, samples: Int, batches: Int, past: Int = 0
  ) throws -> [Fidelity] {
    var sums = [Measures](repeating: Measures(), count: candidates.count)
    for number in 0..<batches {
      let probe = try probe(count: samples, number: number)
      let exact = try probe.direction(of: natural)
      let layerwise = try probe.layerwiseDirection(of: natural)
      let plain = probe.γ(probe.gradient)
      for (i, candidate) in candidates.enumerated() {
        var seconds = 0.0
        let Δ =
          candidate.isLayerwise
          ? try probe.layerwiseDirection(of: candidate.optimizer, past: past) { seconds += $0 }
          : try probe.direction(of: candidate.optimizer, past: past) { seconds += $0 }
        sums[i].add(
          γ: probe.γ(Δ) / plain, cosine: Self.cosine(Δ, exact), layerwise: Self.cosine(Δ, layerwise),
          length: Self.length(Δ) / Self.length(exact), ms: 1e3 * seconds / Double(past + 1))
      }
    }
    let n = Double(batches)
    return zip(candidates, sums).map { candidate, sum in
      Fidelity(
        label: candidate.label, relativeγ: sum.γ / n, cosine: sum.cosine / n,
        layerwiseCosine: sum.layerwise / n, length: sum.length / n, milliseconds: sum.ms)
    }
  }

  private static func cosine(_ a: [Matrix<Scalar>], _ b: [Matrix<Scalar>]) -> Double {
    product(a, b) / (length(a) * length(b))
  }

  private static func product(_ a: [Matrix<Scalar>], _ b: [Matrix<Scalar>]) -> Double {
    zip(a, b).reduce(0) { sum, pair in
      zip(pair.0.array, pair.1.array).reduce(sum) { $0 + Double($1.0) * Double($1.1) }
    }
  }

  private static func length(_ a: [Matrix<Scalar>]) -> Double { product(a, a).squareRoot() }
}

/// Sums over batches, and the least time.
private struct Measures {
  var (γ, cosine, layerwise, length) = (0.0, 0.0, 0.0, 0.0)
  var ms = Double.infinity

  mutating func add(γ: Double, cosine: Double, layerwise: Double, length: Double, ms: Double) {
    self.γ += γ
    self.cosine += cosine
    self.layerwise += layerwise
    self.length += length
    self.ms = min(self.ms, ms)
  }
}
