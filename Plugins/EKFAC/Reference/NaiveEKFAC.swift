import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

/// EKFAC from its definition: eigenvectors by Jacobi's rotations, every sample's gradient turned and squared by itself.
struct NaiveEKFAC: ReferenceOptimizer {
  typealias Dense = [[Double]]

  let method: EKFAC
  var factors: NaiveFactors
  var preconditioning: NaivePreconditioning
  /// Eigenvectors, as rows, and eigenvalues of each block.
  var inputs: [(values: [Double], vectors: Dense)] = []
  var outputs: [(values: [Double], vectors: Dense)] = []
  /// Running moments of each block.
  var S: [Dense] = []

  init(method: EKFAC) {
    self.method = method
    factors = NaiveFactors(method.factors)
    preconditioning = NaivePreconditioning(method.preconditioning)
  }

  mutating func step(_ step: inout ReferenceStep) {
    let blocks = NaiveFactors.blocks(step.parameters)
    let captures =
      (method.statistics == .sampled
        ? (try? step.objective.sampledCaptures())?.layers : step.captures?.layers) ?? [:]
    factors.begin(step, blocks, captures)
    let V = preconditioning.vectors(step)
    var Δ = V
    for (b, block) in blocks.enumerated() {
      if inputs.count == b {
        inputs.append(([], []))
        outputs.append(([], []))
        S.append([])
      }
      if factors.isRefresh(b, of: blocks.count) {
        (inputs[b], outputs[b]) = (naiveEigen(factors.A[b]), naiveEigen(factors.G[b]))
        S[b] = outputs[b].values.map { g in inputs[b].values.map { max(0, g) * max(0, $0) } }
      }
      var moments: Dense
      if method.moments == .batch {
        moments = batchMoments(b, block, step, captures)
      } else {
        let g = turned(NaiveFactors.matrix(block, step.gradients, step.parameters), b)
        let (c, m) = (method.momentDecay, Double(step.objective.sampleCount))
        S[b] = zip(S[b], g).map { zip($0, $1).map { c * $0 + (1 - c) * m * $1 * $1 } }
        S[b] = shared(S[b], b)
        moments = S[b]
      }
      moments = shared(moments, b)
      let C = turned(NaiveFactors.matrix(block, V, step.parameters), b)
      let quotients = zip(C, moments).map { zip($0, $1).map { $0 / ($1 + method.damping) } }
      NaiveFactors.put(turnedBack(quotients, b), block, into: &Δ)
    }
    preconditioning.move(&step, Δ, V, lr: method.lr)
  }

  /// Σₙ (U_Gᵀ·vₙ·U_A)²/M.
  private func batchMoments(
    _ b: Int, _ block: NaiveFactors.Block, _ step: ReferenceStep, _ captures: [String: LayerCapture<Double>]
  ) -> Dense {
    let capture = captures[step.parameters[block.layer].layer!]!
    let M = capture.outputGradients.scaleToSum / capture.outputGradients.scaleToMean
    let samples = step.parameters.map { parameter in
      parameter.layer.flatMap { captures[$0] }.map { naiveGradients($0, parameter) }
    }
    var sum = outputs[b].values.map { _ in inputs[b].values.map { _ in 0.0 } }
    for n in 0..<capture.sampleCount {
      let gradients = samples.map { $0 == nil ? [] : $0![n] }
      let v = turned(NaiveFactors.matrix(block, gradients, step.parameters), b)
      sum = zip(sum, v).map { zip($0, $1).map { $0 + $1 * $1 / M } }
    }
    return sum
  }

  /// U_Gᵀ·V·U_A.
  private func turned(_ V: Dense, _ b: Int) -> Dense {
    Self.product(Self.product(outputs[b].vectors, V), Self.transposed(inputs[b].vectors))
  }

  /// U_G·C·U_Aᵀ.
  private func turnedBack(_ C: Dense, _ b: Int) -> Dense {
    Self.product(Self.product(Self.transposed(outputs[b].vectors), C), inputs[b].vectors)
  }

  private static func product(_ X: Dense, _ Y: Dense) -> Dense {
    X.map { x in
      Y[0].indices.map { j in
        var sum = 0.0
        for k in x.indices { sum += x[k] * Y[k][j] }
        return sum
      }
    }
  }

  private static func transposed(_ X: Dense) -> Dense { X[0].indices.map { j in X.map { $0[j] } } }

  /// The mean of the moments where eigenvalues are zero and eigenvectors are not determined.
  private func shared(_ moments: Dense, _ b: Int) -> Dense {
    func isNull(_ values: [Double]) -> [Bool] { values.map { $0 <= 1e-12 * values.last! } }
    let (nullInputs, nullOutputs) = (isNull(inputs[b].values), isNull(outputs[b].values))
    let rows = moments.map { Self.mean($0, where: nullInputs) }
    let columns = rows[0].indices.map { j in Self.mean(rows.map { $0[j] }, where: nullOutputs) }
    return rows.indices.map { i in columns.map { $0[i] } }
  }

  private static func mean(_ x: [Double], where isNull: [Bool]) -> [Double] {
    let places = x.indices.filter { isNull[$0] }
    let mean = places.reduce(0) { $0 + x[$1] } / Double(max(1, places.count))
    return x.indices.map { isNull[$0] ? mean : x[$0] }
  }
}
