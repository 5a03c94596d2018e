import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

/// A step in which directions are sums of the samples' gradients: what iEF, EF, SF and NGD have in common.
struct SampleSpace<S: KernelScalar> {
  let name: String
  let captures: Captures<S, Empirical>
  /// By layer, which of its parameters are updated.
  let included: [String: LayerParameters]
  let parameters: [ParameterInfo]
  let objective: any Objective<S>
  let backend: any Backend
  let threads: Int

  init(_ step: borrowing Step<S>, _ name: String) throws(StepRefusal) {
    let captures = try step.objective.captures(for: name)
    self.name = name
    self.captures = captures
    parameters = step.parameters
    objective = step.objective
    backend = step.backend
    threads = step.threads
    var included: [String: LayerParameters] = [:]
    for parameter in step.parameters {
      guard let layer = parameter.layer, captures.layers[layer] != nil else {
        throw .failed(
          optimizer: name, place: parameter.name, reason: "no layer with captures belongs to this parameter")
      }
      included[layer, default: []].formUnion(LayerParameters(parameter.role))
    }
    self.included = included
  }

  /// sₙ = ‖∂ℓₙ/∂zₙ‖².
  func squaredOutputGradients() throws(StepRefusal) -> [Double] {
    try objective.outputGradients(for: name).squaredNorms(samples: captures.sampleCount)
  }

  /// The captures of `count` draws of the labels, one after the other.
  func draws(_ count: Int) throws(StepRefusal) -> Captures<S, Sampled> {
    var draws: [Captures<S, Sampled>] = []
    for _ in 0..<count { draws.append(try objective.sampledCaptures()) }
    return Captures(concatenating: draws, on: backend)
  }

  func gram<Kind>(_ rows: Captures<S, Kind>) throws(StepRefusal) -> Matrix<Double> {
    try gram(rows, with: Captures<S, Kind>?.none)
  }

  func gram<Kind, Other>(
    _ rows: Captures<S, Kind>, with columns: Captures<S, Other>?
  ) throws(StepRefusal) -> Matrix<Double> {
    let K: Matrix<Double>
    do {
      K = try rows.gram(of: included, with: columns, on: backend, threads: threads)
    } catch {
      throw .failed(optimizer: name, place: "layer \(error.layer)", reason: error.description)
    }
    let isFinite = K.withSpan { K in K.indices.allSatisfy { K[$0].isFinite } }
    if !isFinite {
      throw .failed(optimizer: name, place: "captures", reason: "the samples' gradients are not finite")
    }
    return K
  }

  /// Jᵀ·w, for every parameter of the step.
  ///
  /// - Parameter slot: the name of its memory in the step.
  func direction<Kind>(
    _ w: [Double], of rows: Captures<S, Kind>, _ step: inout Step<S>
  ) -> [Matrix<S>] {
    parameters.map { parameter in
      guard let capture = parameter.layer.flatMap({ rows.layers[$0] }) else {
        fatalError("\(name): no captures for \(parameter.summary)")
      }
      let sum: Matrix<S>
      if LayerParameters(parameter.role) == .weight {
        sum = step.temporary(rows: capture.weightRows, columns: capture.weightColumns) { sum in
          capture.weightGradient(weighting: w, into: &sum, on: backend, threads: threads)
        }
      } else {
        sum = capture.gradients(weighting: w, of: .bias, on: backend, threads: threads).bias!
      }
      return sum.reshaped(rows: parameter.rows, columns: parameter.columns)
    }
  }
}
