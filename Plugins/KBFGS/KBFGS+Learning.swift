import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

extension KBFGS {
  /// What the second pass says about a layer becomes state: H_g by the change of pre-activations and of their gradients, H_a
  /// by the mean input.
  ///
  /// A pair that is not usable, or none at all, leaves its matrix as it is and is counted: `pairs skipped`.
  func learn<S: KernelScalar>(
    from move: LayerMove<S>, _ first: [String: LayerCapture<S>], _ second: [String: LayerCapture<S>],
    _ step: inout Step<S>
  ) {
    let layer = move.layer
    func means(_ captures: [String: LayerCapture<S>]) -> LayerMeans? {
      LayerMeans(layer.layer.flatMap { captures[$0] }, of: layer, sharing, step.backend, step.threads)
    }
    let (old, new) = (means(first), means(second))
    let pair = old.flatMap { old in new.flatMap { outputPair(move, from: old, to: $0, &step) } }
    if !move.Hg.stage(pair, of: layer, &step) { step.count("pairs skipped") }
    if step.number > exactSteps {
      let pair = old.flatMap { inputPair(move, $0.input, step) }
      if !stageUpdate(of: move.Ha, by: pair, as: "Ha", of: layer, &step) { step.count("pairs skipped") }
    }
  }

  /// The averaged and damped pair of the pre-activations; nil if it is not usable. The averages become state unless they
  /// are not finite.
  private func outputPair<S: KernelScalar>(
    _ move: LayerMove<S>, from old: LayerMeans, to new: LayerMeans, _ step: inout Step<S>
  ) -> CurvaturePair? {
    let (Hg, backend, threads) = (move.Hg, step.backend, step.threads)
    let s = average("s", of: move.layer, adding: move.change(from: old, to: new, in: step), &step)
    let y = average("y", of: move.layer, adding: combination(1, new.gradients, -1, old.gradients), &step)
    guard let s, let y else { return nil }
    var pair = CurvaturePair(s: s, y: y)
    pair.damp(inverseDamping, min(1, damping.squareRoot())) {
      Hg.multiplied(by: $0, on: backend, threads: threads)
    }
    let gradient = product(old.gradients, old.gradients).squareRoot()
    return pair.isUsable(gradient: gradient) ? pair : nil
  }

  /// β_p·former + (1 − β_p)·x, which becomes state; nil if it is not finite.
  private func average<S: KernelScalar>(
    _ slot: String, of layer: KroneckerLayer, adding x: [Double], _ step: inout Step<S>
  ) -> [Double]? {
    let former =
      step.tensor(slot, of: layer.owner)?.array.map { Double($0) } ?? [Double](repeating: 0, count: x.count)
    let new = former.count == x.count ? combination(pairBeta, former, 1 - pairBeta, x) : x
    let rounded = new.map { S($0) }
    if !rounded.allSatisfy(\.isFinite) { return nil }
    step.set(slot, of: layer.owner, to: Matrix(rounded, rows: 1, columns: x.count))
    return new
  }

  /// s = H_a·h̄ and y = (A + √λ·I)·s: what the damped factor does to a direction that occurs.
  private func inputPair<S: KernelScalar>(
    _ move: LayerMove<S>, _ h: [Double], _ step: borrowing Step<S>
  ) -> CurvaturePair? {
    guard let A = step.latest("A", of: move.layer.owner) else { return nil }
    let s = product(move.Ha, h, step.backend, step.threads)
    var As = Matrix<S>(rows: s.count, columns: 1)
    symm(
      A, triangle: .lower, Matrix(s.map { S($0) }, rows: s.count, columns: 1), into: &As, on: step.backend,
      threads: step.threads)
    let y = combination(1, As.array.map { Double($0) }, damping.squareRoot(), s)
    let pair = CurvaturePair(s: s, y: y)
    return pair.isUsable(gradient: 0) ? pair : nil
  }
}
