import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import Testing

/// What an optimizer asks of a batch, and how it is refused.
@Suite struct ObjectiveTests {
  private func capture(mixesSamples: Bool = false) -> LayerCapture<Double> {
    LayerCapture(
      kind: .linear(hasBias: false), inputs: [[1, 2], [3, 4]],
      outputGradients: .ofSum([[3, 4], [0, 2]], terms: 2), sampleCount: 2, mixesSamples: mixesSamples)
  }

  @Test func whatIsThereIsGiven() throws {
    let outputs = OutputGradients<Double>.ofSum([[3, 4], [0, 2]], terms: 2)
    let objective = PlainObjective(captures: Captures(["l": capture()]), outputGradients: outputs)
    #expect(try objective.captures(for: "m").layers.keys.sorted() == ["l"])
    #expect(try objective.outputGradients(for: "m").values == outputs.values)
    #expect(
      try objective.samples(of: "l", improved: false, for: "m").outputGradients.values == outputs.values)
    let improved = try objective.samples(of: "l", improved: true, for: "m").outputGradients
    let expected: [Double] = [0.6, 0.8, 0, 1]
    #expect(zip(improved.ofSum.array, expected).allSatisfy { abs($0 - $1) < 1e-15 })
  }

  @Test func whatIsMissingIsRefusedByName() {
    let nothing = PlainObjective<Double>()
    #expect(throws: StepRefusal.unavailable(optimizer: "m", what: Needs.captures.description)) {
      try nothing.captures(for: "m")
    }
    #expect(throws: StepRefusal.unavailable(optimizer: "m", what: Needs.captures.description)) {
      try nothing.samples(of: "l", improved: false, for: "m")
    }
    #expect(throws: StepRefusal.unavailable(optimizer: "m", what: Needs.logitGradients.description)) {
      try nothing.outputGradients(for: "m")
    }
    let mixed = PlainObjective(captures: Captures(["l": capture(mixesSamples: true), "k": capture()]))
    #expect(throws: StepRefusal.failed(optimizer: "m", place: "layer x", reason: "it has no captures")) {
      try mixed.samples(of: "x", improved: false, for: "m")
    }
    #expect(
      throws: StepRefusal.failed(
        optimizer: "m", place: "layer l", reason: SamplesAreMixed(layer: "l").description)
    ) {
      try mixed.samples(of: "l", improved: false, for: "m")
    }
    #expect(throws: StepRefusal.unavailable(optimizer: "m", what: Needs.logitGradients.description)) {
      try mixed.samples(of: "k", improved: true, for: "m")
    }
  }
}
