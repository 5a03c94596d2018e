import FisherLinearAlgebra
public import FisherOptimizers
public import FisherTraining

/// An optimizer with its hyper-parameters, under a name for tables.
public struct Candidate: Sendable {
  public let label: String
  public let optimizer: any Optimizer

  public init(_ label: String, _ optimizer: any Optimizer) {
    self.label = label
    self.optimizer = optimizer
  }
}

/// How close an optimizer's direction is to the exact natural gradient, at one place of a training run.
public struct Fidelity: Sendable {
  public let label: String
  /// γ(Δ) over γ of the gradient: below 1 is better than gradient descent (Wu et al. 2024, equation 15).
  public let relativeγ: Double
  /// The cosine of the angle between Δ and the natural gradient, over all parameters.
  public let cosine: Double
  /// ‖Δ‖ over the natural gradient's length.
  public let length: Double
  /// Milliseconds to form the direction from the batch's captures, passes included.
  public let milliseconds: Double
}

extension Trainer {
  /// Measures candidates on batches of training examples at the current weights; means over the batches.
  ///
  /// Each candidate starts without a past: running averages hold this batch alone.
  ///
  /// - Parameters:
  ///   - candidates: whose directions are measured.
  ///   - natural: the exact natural gradient, with little damping.
  ///   - samples: of each batch.
  ///   - batches: how many.
  /// - Throws: ``StepRefusal`` if a candidate refuses its step.
  public func fidelity(
    of candidates: [Candidate], natural: any Optimizer, samples: Int, batches: Int
  ) throws -> [Fidelity] {
    var sums = [(γ: Double, cosine: Double, length: Double, ms: Double)](
      repeating: (0, 0, 0, 0), count: candidates.count)
    for number in 0..<batches {
      let probe = probe(count: samples, number: number)
      let exact = try probe.direction(of: natural)
      let plain = probe.γ(probe.gradient)
      for (i, candidate) in candidates.enumerated() {
        let clock = ContinuousClock()
        let start = clock.now
        let Δ = try probe.direction(of: candidate.optimizer)
        let time = clock.now - start
        sums[i].γ += probe.γ(Δ) / plain
        sums[i].cosine += Self.product(Δ, exact) / (Self.length(Δ) * Self.length(exact))
        sums[i].length += Self.length(Δ) / Self.length(exact)
        sums[i].ms += Double(time.components.attoseconds) * 1e-15 + Double(time.components.seconds) * 1e3
      }
    }
    let n = Double(batches)
    return zip(candidates, sums).map { candidate, sum in
      Fidelity(
        label: candidate.label, relativeγ: sum.γ / n, cosine: sum.cosine / n, length: sum.length / n,
        milliseconds: sum.ms / n)
    }
  }

  private static func product(_ a: [Matrix<Scalar>], _ b: [Matrix<Scalar>]) -> Double {
    zip(a, b).reduce(0) { sum, pair in
      zip(pair.0.array, pair.1.array).reduce(sum) { $0 + Double($1.0) * Double($1.1) }
    }
  }

  private static func length(_ a: [Matrix<Scalar>]) -> Double { product(a, a).squareRoot() }
}
