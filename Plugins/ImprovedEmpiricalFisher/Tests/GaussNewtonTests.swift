import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginImprovedEmpiricalFisher
import Testing

/// iEF, the Gauss-Newton matrix Σₙ ZₙᵀZₙ with Z = ∂z/∂θ, and the Fisher matrix, on the small network.
@Suite struct GaussNewtonTests {
  let fixture = Fixture.golden

  private var J: [[Double]] { fixture.rows(fixture.batch.captures!) }
  private var s: [Double] { fixture.batch.outputGradients!.squaredNorms(samples: 4) }

  /// One row a sample and output, the outputs of a sample one after the other.
  private var Z: [[Double]] {
    let columns = (0..<3).map { c in
      fixture.rows(fixture.captures(Matrix(rows: 4, columns: 3) { $1 == c ? 1 : 0 }, Exact.self))
    }
    return (0..<4).flatMap { n in columns.map { $0[n] } }
  }

  private var gaussNewtonStep: [Double] {
    // The shortest solution of Z·Δ = r.
    let rows = Z
    let w = eliminate(rows.map { row in rows.map { dot(row, $0) } }, fixture.residuals(fixture.y).array)
    return sum(zip(rows, w).map { row, w in row.map { $0 * w } })
  }

  private func product(_ rows: [[Double]], _ metric: [Double], _ v: [Double]) -> [Double] {
    sum(
      zip(rows, metric).map { row, metric in
        let c = dot(row, v) / metric
        return row.map { $0 * c }
      })
  }

  private func expectClose(
    _ a: [Double], _ b: [Double], _ tolerance: Double = 1e-10, _ location: SourceLocation = #_sourceLocation
  ) {
    let isClose = a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
    #expect(isClose, "\(a) and \(b)", sourceLocation: location)
  }

  /// Both lower every loss by its s; iEF does so with the shorter step, which is another one.
  @Test func sameReductionsByAnotherStep() throws {
    let (GN, Δ) = (gaussNewtonStep, try fixture.direction(ImprovedEmpiricalFisher.self, ["damping": 0]))
    // The Gram matrix of the outputs, whose condition number is about 10⁸, loses some digits.
    expectClose(fixture.reductions(GN), s, 1e-9)
    expectClose(fixture.reductions(Δ), s)
    #expect(length(Δ) <= length(GN))
    #expect(length(zip(GN, Δ).map { $0 - $1 }) > 0.5 * length(GN))
  }

  /// With one output the improved empirical Fisher matrix is the Gauss-Newton matrix; with more it is at most that.
  @Test func atMostGaussNewton() throws {
    let P = J[0].count
    var basis = [Double](repeating: 0, count: P)
    var difference = Matrix<Double>(rows: P, columns: P)
    for p in 0..<P {
      basis[p] = 1
      let (G, F) = (product(Z, Z.map { _ in 1 }, basis), product(J, s, basis))
      for q in 0..<P { difference[p, q] = G[q] - F[q] }
      basis[p] = 0
    }
    let values = try SymmetricEigen(difference).values
    let (least, greatest) = (values.min()!, values.max()!)
    #expect(least > -1e-13 * greatest && greatest > 0.1, "\(least) \(greatest)")
    let one = LinearModel(.logistic, X: random(5, 3, 1), Y: random(5, 1, 2), W: random(1, 3, 3))
    let rows = zip(one.X.rowArrays, one.residuals.array).map { x, r in x.map { $0 * r } }
    let s = one.residuals.array.map { $0 * $0 }
    for v in [[1.0, 0, 0], [0, 1, 0], [0.3, -0.2, 1]] {
      expectClose(product(rows, s, v), product(one.outputJacobian, s.map { _ in 1 }, v), 1e-13)
    }
  }

  /// Scaling every sample's loss does not change the improved matrix.
  @Test func improvedCapturesHaveNoScale() {
    let (batch, factors) = (fixture.batch, [3.0, 3, 3, 3])
    let scaled = batch.captures!.mapGradients(to: Empirical.self) {
      $0.outputGradients.scaled(samplesBy: factors)
    }
    let plain = fixture.rows(batch.captures!.improved(by: batch.outputGradients!))
    let other = fixture.rows(scaled.improved(by: batch.outputGradients!.scaled(samplesBy: factors)))
    for (a, b) in zip(plain, other) { expectClose(a, b, 1e-14) }
  }

  @Test func quality() throws {
    let K = J.map { row in J.map { dot(row, $0) } }
    let reciprocal = fixture.y.indices.map { 1 / fixture.probabilities[$0, fixture.y[$0]] - 1 }
    let target = sum(zip(J, eliminate(K, reciprocal)).map { row, w in row.map { $0 * w } })
    expectClose(
      [
        try fixture.γ(gaussNewtonStep), try fixture.γ(target),
        try fixture.γ(fixture.direction(ImprovedEmpiricalFisher.self, ["damping": 0, "duplicates": 1])),
        try fixture.γ(fixture.direction(EmpiricalFisher.self, ["damping": 0, "duplicates": 1])),
      ], [0.3142757512, 0.6474150804, 0.6726448946, 0.8739843859])
    // The length of a direction does not matter.
    let g = sum(J)
    expectClose([try fixture.γ(g.map { -17 * $0 })], [try fixture.γ(g)], 1e-14)
  }

  /// Σₙ Σ_c pₙ(c)·u·uᵀ over all labels c is what the root of the curvature makes.
  @Test func expectationOverAllLabels() throws {
    let p = fixture.probabilities
    let V = try fixture.batch.exactFisher().columns.flatMap(fixture.rows)
    let labels = (0..<3).map { c in
      fixture.rows(fixture.captures(fixture.residuals([c, c, c, c]), Sampled.self))
    }
    for v in [random(1, 31, 5).array, random(1, 31, 6).array] {
      var expected = [Double](repeating: 0, count: 31)
      for n in 0..<4 {
        for c in 0..<3 {
          let weight = p[n, c] * dot(labels[c][n], v)
          expected = zip(expected, labels[c][n]).map { $0 + weight * $1 }
        }
      }
      expectClose(product(V, V.map { _ in 1 }, v), expected, 1e-13)
    }
  }

  /// Late in training, with samples that are fitted in different degrees, iEF is better than the gradient and does not
  /// care by more than a tenth about eight decades of damping; EF gets worse as its damping gets small.
  @Test func dampingLateInTraining() throws {
    var network = fixture
    for _ in 0..<300 {
      var offset = 0
      let Δ = try network.direction(ImprovedEmpiricalFisher.self, ["damping": 0, "duplicates": 1])
      network.values = network.values.map { value in
        defer { offset += value.count }
        let part = Δ[offset..<offset + value.count]
        return Matrix(zip(value.array, part).map { $0 - 0.05 * $1 }, rows: value.rows, columns: value.columns)
      }
    }
    // One sample is not fitted as well as the others.
    network.y[0] = 1
    let plain = try network.γ(sum(network.rows(network.batch.captures!)))
    func ratio(_ type: any Optimizer.Type, _ λ: Double) throws -> Double {
      try network.γ(
        network.direction(
          type, ["damping": .number(λ), "dampingMode": "relative", "duplicates": 1])) / plain
    }
    let ief = try [1e-12, 1e-10, 1e-8, 1e-6, 1e-4].map { try ratio(ImprovedEmpiricalFisher.self, $0) }
    let ef = try [1e-12, 1e-8, 1e-4, 1].map { try ratio(EmpiricalFisher.self, $0) }
    #expect(ief.allSatisfy { $0 < 1 && abs($0 / ief[0] - 1) < 0.1 }, "\(ief)")
    #expect(ef[0] > 1 && ef[0] >= ef[1] && ef[1] > ef[2] && ef[2] > ef[3], "\(ef)")
  }

  /// Conjugate gradients on F·x = g: every iterate is better than the one before.
  @Test func conjugateGradients() throws {
    let V = try fixture.batch.exactFisher().columns.flatMap(fixture.rows)
    let ones = V.map { _ in 1.0 }
    var (x, r) = ([Double](repeating: 0, count: V[0].count), sum(J))
    var p = r
    var found: [Double] = []
    for _ in 0..<6 {
      let Fp = product(V, ones, p)
      let (rr, α) = (dot(r, r), dot(r, r) / dot(p, Fp))
      x = zip(x, p).map { $0 + α * $1 }
      r = zip(r, Fp).map { $0 - α * $1 }
      p = zip(r, p).map { $0 + dot(r, r) / rr * $1 }
      found.append(try fixture.γ(x))
    }
    expectClose(found, [0.7363382, 0.6636122, 0.4754908, 0.4642129, 0.4143974, 0.4032109], 1e-7)
    #expect(zip(found, found.dropFirst()).allSatisfy { $0 >= $1 })
  }
}

extension Matrix<Double> {
  fileprivate var rowArrays: [[Double]] { (0..<rows).map { row($0).array } }
}
