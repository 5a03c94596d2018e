import FisherCurvature
import FisherLinearAlgebra
import FisherTestSupport
import Testing

@Suite struct CaptureTests {
  /// The largest number of terms in a sum of these cases: patches × positions of the convolution, rounded up.
  static let terms = 200

  private func cases(_ body: (CaptureCase, String, inout Generator) throws -> Void) rethrows {
    for seed in Seed.cases(3) {
      for subject in CaptureCase.all {
        var generator = Generator(seed: seed)
        try body(subject, "\(subject) FISHER_SEED=\(seed)", &generator)
      }
    }
  }

  /// J·Jᵀ, J·J′ᵀ, the squared norms and Jᵀ·w are those of the gradients formed element by element.
  @Test func gramIsThatOfTheDefinition() {
    cases { subject, what, generator in
      let (a, b) = (subject.capture(samples: 4, &generator), subject.capture(samples: 3, &generator))
      let (J, L) = (subject.rows(a), subject.rows(b))
      func products(_ x: [[Double]], _ y: [[Double]]) -> [Double] {
        x.flatMap { row in y.map { zip(row, $0).reduce(0) { $0 + $1.0 * $1.1 } } }
      }
      var K = Matrix<Double>(rows: 4, columns: 4)
      a.addGram(to: &K)
      #expect(isClose(K.array, products(J, J), terms: Self.terms), "\(what)")
      var cross = Matrix<Double>(rows: 4, columns: 3)
      a.addGram(with: b, to: &cross)
      #expect(isClose(cross.array, products(J, L), terms: Self.terms), "\(what)")
      #expect(
        isClose(a.squaredGradientNorms(), (0..<4).map { K[$0, $0] }, terms: Self.terms), "\(what)")
      let w = [1.0, -0.5, 0.25, 2]
      let sum = a.gradients(weighting: w)
      let expected = J[0].indices.map { p in zip(J, w).reduce(0) { $0 + $1.0[p] * $1.1 } }
      let found = (sum.weight?.array ?? []) + (sum.bias?.array ?? [])
      #expect(isClose(found, expected, terms: Self.terms), "\(what)")
    }
  }

  /// Gradients of the mean loss describe the same samples as those of the sum: the scale is undone, whatever it is.
  @Test func meanAndSumAreTheSameCapture() {
    cases { subject, what, generator in
      let sum = subject.capture(samples: 4, &generator)
      let values = sum.outputGradients.values
      let terms = values.rows
      // A power of two would hide a rounding; a wrong scale is off by at least a factor of 2.
      let mean = sum.replacing(
        .ofMean(
          Matrix(rows: values.rows, columns: values.columns) { values[$0, $1] / Double(terms) }, terms: terms)
      )
      #expect(isClose(mean.outputGradients.ofSum.array, values.array, terms: 1), "\(what)")
      #expect(
        isClose(subject.rows(mean).flatMap { $0 }, subject.rows(sum).flatMap { $0 }, terms: Self.terms),
        "\(what)")
      var (K, L) = (Matrix<Double>(rows: 4, columns: 4), Matrix<Double>(rows: 4, columns: 4))
      mean.addGram(to: &K)
      sum.addGram(to: &L)
      #expect(isClose(K.array, L.array, terms: Self.terms), "\(what)")
      #expect(
        abs(mean.outputGradients.scaleToSum / mean.outputGradients.scaleToMean - Double(terms)) < 1e-9)
      #expect(
        abs(sum.outputGradients.scaleToSum / sum.outputGradients.scaleToMean - Double(terms)) < 1e-9)
    }
  }

  /// The captures of micro-batches in turn are those of the whole batch, in any grouping, from means or sums.
  @Test func microBatchesAreOneBatch() {
    cases { subject, what, generator in
      let whole = subject.capture(samples: 6, &generator)
      let parts = [0..<1, 1..<3, 3..<6].map { range in
        let rows = range.lowerBound * subject.positions..<range.upperBound * subject.positions
        func some(_ x: Matrix<Double>) -> Matrix<Double> { x[rows: rows, columns: 0...] }
        return LayerCapture(
          kind: whole.kind, inputs: some(whole.inputs),
          outputGradients: .ofSum(some(whole.outputGradients.values), terms: rows.count),
          sampleCount: range.count, normalized: whole.normalized.map(some))
      }
      let asMean = parts[1].replacing(
        .ofMean(
          Matrix(rows: parts[1].inputs.rows, columns: subject.outputs) {
            parts[1].outputGradients.values[$0, $1] / 4
          }, terms: 4))
      func joined(_ parts: [LayerCapture<Double>]) -> LayerCapture<Double> {
        Captures<Double, Empirical>(concatenating: parts.map { Captures(["l": $0]) }).layers["l"]!
      }
      let all = joined(parts)
      let grouped = joined([parts[0], joined([parts[1], parts[2]])])
      for other in [all, grouped] {
        #expect(other.inputs == whole.inputs && other.normalized == whole.normalized, "\(what)")
        #expect(other.outputGradients.ofSum == whole.outputGradients.ofSum, "\(what)")
        #expect(other.sampleCount == 6 && other.positions == subject.positions, "\(what)")
        #expect(
          abs(other.outputGradients.scaleToMean * Double(whole.inputs.rows) - 1) < 1e-12, "\(what)")
      }
      // Division and multiplication by 4 are exact.
      let scaled = joined([parts[0], asMean, parts[2]])
      #expect(scaled.outputGradients.ofSum == whole.outputGradients.ofSum, "\(what)")
    }
  }

  /// Half precision of a number that has no more digits is that number: there and back changes nothing.
  @Test func conversionKeepsFloats() {
    cases { subject, what, generator in
      let captures = Captures<Double, Sampled>(["l": subject.capture(samples: 3, &generator)])
      let back = captures.converted(to: Float.self).converted(to: Double.self).layers["l"]!
      let own = captures.layers["l"]!
      #expect(back.inputs == own.inputs && back.normalized == own.normalized, "\(what)")
      #expect(back.outputGradients.values == own.outputGradients.values, "\(what)")
      #expect(back.outputGradients.scaleToMean == own.outputGradients.scaleToMean, "\(what)")
      #expect(back.kind == own.kind && back.sampleCount == own.sampleCount, "\(what)")
    }
  }

  /// Every sample of the improved captures has an output gradient of length 1; one without any keeps zeros.
  @Test func improvedSamplesHaveUnitOutputGradients() {
    var generator = Generator(seed: Seed.first)
    for subject in CaptureCase.all {
      var capture = subject.capture(samples: 5, &generator)
      let factors = [1.0, 2, 0, 1e-3, 1e6]
      capture = capture.replacing(capture.outputGradients.scaled(samplesBy: factors))
      let improved = Captures<Double, Empirical>(["l": capture]).improved(by: capture.outputGradients)
      let norms = improved.layers["l"]!.outputGradients.squaredNorms(samples: 5)
      for (norm, factor) in zip(norms, factors) {
        #expect(abs(norm - (factor == 0 ? 0 : 1)) < 1e-12, "\(subject) FISHER_SEED=\(Seed.first)")
      }
    }
  }

  @Test func samplesThatMixHaveNoGram() {
    var generator = Generator(seed: Seed.first)
    let frozen = CaptureCase.all.last!.capture(samples: 4, &generator)
    let mixed = LayerCapture(
      kind: frozen.kind, inputs: frozen.inputs, outputGradients: frozen.outputGradients, sampleCount: 4,
      normalized: frozen.normalized, mixesSamples: true)
    #expect(throws: SamplesAreMixed(layer: "norm")) {
      try Captures<Double, Empirical>(["norm": mixed]).gram(of: ["norm": .all])
    }
  }
}
