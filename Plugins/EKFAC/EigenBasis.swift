import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

/// The eigenvectors of a layer's two factors, and what is done with them.
///
/// Eigenvectors of an eigenvalue that is zero in working precision are not determined: any basis of their space is as
/// good. So the moments of their coordinates are replaced by their mean, and nothing depends on the choice.
package struct EigenBasis<S: KernelScalar> {
  package let basis: KroneckerBasis<S>
  /// How many of the first input and output coordinates belong to eigenvalues of zero.
  let nullInputs, nullOutputs: Int

  init(of layer: KroneckerLayer, in step: borrowing Step<S>) throws(StepRefusal) {
    let name = EKFAC.record.name
    let (UA, UG) = (
      try layer.inputState("UA", in: step, for: name), try layer.outputState("UG", in: step, for: name)
    )
    self.init(UA: UA, UG: UG, a: step.latest("a", of: layer.owner), b: step.latest("b", of: layer.owner))
  }

  /// - Parameters:
  ///   - UA: the eigenvectors on the side of the inputs, as rows.
  ///   - UG: those on the side of the outputs.
  ///   - a: the eigenvalues on the side of the inputs, ascending.
  ///   - b: those on the side of the outputs.
  package init(UA: Matrix<S>, UG: Matrix<S>, a: Matrix<S>?, b: Matrix<S>?) {
    basis = KroneckerBasis(left: UG.transposed, right: UA.transposed)
    nullInputs = Self.zeros(a?.array ?? [])
    nullOutputs = Self.zeros(b?.array ?? [])
  }

  /// How many eigenvalues are zero up to rounding.
  private static func zeros(_ values: [S]) -> Int {
    let bound = Double(values.last ?? 0) * Double(16 * values.count) * Double(S.ulpOfOne)
    return values.prefix { Double($0) <= bound }.count
  }

  /// U_Gᵀ·V·U_A.
  func rotate(_ V: Matrix<S>, _ step: inout Step<S>) -> Matrix<S> {
    let (backend, threads) = (step.backend, step.threads)
    return step.temporary(rows: V.rows, columns: V.columns) {
      basis.rotate(V, into: &$0, on: backend, threads: threads)
    }
  }

  /// U_G·(C ⊘ (S + ε))·U_Aᵀ.
  func divide(
    _ C: Matrix<S>, by moments: Matrix<S>, plus ε: Double, _ step: inout Step<S>
  ) -> Matrix<S> {
    let (backend, threads) = (step.backend, step.threads)
    let quotients = step.temporary(rows: C.rows, columns: C.columns) { Q in
      Q.assign(DampedQuotient(ε: ε), of: C, moments, threads: threads)
    }
    return step.temporary(rows: C.rows, columns: C.columns) {
      basis.rotateBack(quotients, into: &$0, on: backend, threads: threads)
    }
  }

  /// S ← c·S + (1 − c)·m·g², which starts from b·aᵀ with a new basis.
  func runningMoments(
    of layer: KroneckerLayer, _ g: Matrix<S>, keeping c: Double, isNew: Bool, _ step: inout Step<S>
  ) -> Matrix<S> {
    let former = isNew ? nil : step.tensor("S", of: layer.owner)
    let old =
      former ?? products(step.latest("b", of: layer.owner), step.latest("a", of: layer.owner), like: g)
    let (share, threads) = ((1 - c) * Double(step.objective.sampleCount), step.threads)
    return step.set("S", of: layer.owner, rows: g.rows, columns: g.columns) { moments in
      moments.assign(SquareCombination(share, c), of: g, old, threads: threads)
      shareNullMoments(&moments, threads)
    }
  }

  /// b·aᵀ without what rounding has left below zero; zeros without eigenvalues.
  private func products(_ b: Matrix<S>?, _ a: Matrix<S>?, like g: Matrix<S>) -> Matrix<S> {
    guard let b, let a else { return Matrix(rows: g.rows, columns: g.columns) }
    return Matrix(rows: g.rows, columns: g.columns) { i, j in max(b[0, i], 0) * max(a[0, j], 0) }
  }

  /// Coordinates without an eigenvalue get the mean of their moments, along each axis.
  func shareNullMoments(_ moments: inout Matrix<S>, _ threads: Int) {
    if nullInputs > 1 { moments.averageFirst(columns: nullInputs, threads: threads) }
    if nullOutputs > 1 { moments.averageFirst(rows: nullOutputs, threads: threads) }
  }
}
