import FisherLinearAlgebra
import FisherNetworks
import FisherTestSupport
import Testing

@Test(arguments: NetworkCase.all, [1, 2, 5])
func gradientsMatchDifferences(subject: NetworkCase, samples: Int) throws {
  let samples = max(samples, subject.leastSamples)
  for seed in Seed.cases(2) {
    let violations = try GradientCheck(subject, samples: samples, seed: seed).violations()
    #expect(violations.isEmpty, "\(violations)")
  }
}

@Test(arguments: NetworkCase.all, [1, 3])
func outputsMatchTheDefinition(subject: NetworkCase, samples: Int) throws {
  // What dropout drops is not defined, only how often; AttentionDropoutTests has a definition for the mask that it shows.
  if subject.name.hasPrefix("dropout") { return }
  for seed in Seed.cases(2) {
    let problem = try Problem(subject, samples: max(samples, subject.leastSamples), seed: seed)
    var naive = NaiveNetwork(values: problem.values, mode: subject.mode)
    let width = problem.inputs.count / problem.samples
    let rows = stride(from: 0, to: problem.inputs.count, by: width).map {
      Array(problem.inputs[$0..<$0 + width])
    }
    let expected = naive.run(subject.layers, .init(samples: rows, shape: subject.input.axes)).samples.flatMap(
      \.self)
    #expect(naive.values.isEmpty)
    #expect(error(try outputs(Double.self), expected) < 1e-13, "seed \(seed)")
    #expect(error(try outputs(Float.self), expected) < 2e-5, "seed \(seed)")

    func outputs<S: KernelScalar>(_: S.Type) throws -> [Double] {
      let workspace = try subject.network(S.self).makeWorkspace(threads: 2)
      workspace.forward(problem.values(workspace.network), problem.inputs(S.self), mode: subject.mode)
      return workspace.outputs.array.map(Double.init)
    }
  }
}

/// Float gradients against those in Double, which differences confirm.
@Test(arguments: NetworkCase.all)
func floatGradientsMatchDouble(subject: NetworkCase) throws {
  let problem = try Problem(subject, samples: 9, seed: Seed.first)
  let expected = try gradients(subject, problem, Double.self, threads: 1)
  let got = try gradients(subject, problem, Float.self, threads: 2)
  let scale = expected.flatMap(\.self).map(abs).max()!
  for (info, (got, expected)) in zip(try subject.network(Float.self).parameters, zip(got, expected)) {
    let worst = zip(got, expected).map { abs($0 - $1) }.max()!
    #expect(worst < 1e-5 * scale, "\(info.summary)")
  }
}

@Test(arguments: NetworkCase.all)
func bitsDoNotDependOnThreads(subject: NetworkCase) throws {
  let problem = try Problem(subject, samples: 150, seed: Seed.first)
  let one = try gradients(subject, problem, Float.self, threads: 1)
  for threads in [2, 7] {
    #expect(try gradients(subject, problem, Float.self, threads: threads) == one, "\(threads) threads")
  }
}

/// ⟨u, J·v⟩ = ⟨Jᵀ·u, v⟩: tangents are the adjoint of gradients.
@Test(arguments: NetworkCase.all, [1, 4])
func tangentsAreAdjointToGradients(subject: NetworkCase, samples: Int) throws {
  let problem = try Problem(subject, samples: max(samples, subject.leastSamples), seed: Seed.first)
  let network = try subject.network(Double.self)
  let workspace = network.makeWorkspace(threads: 2)
  let values = problem.values(network)
  workspace.forward(values, problem.inputs(Double.self), mode: subject.mode)
  var generator = Generator(seed: 3)
  let direction = network.parameters.map { info in
    Matrix<Double>(rows: info.rows, columns: info.columns) { _, _ in generator.uniform() }
  }
  let u = Matrix<Double>(rows: workspace.sampleCount, columns: network.output.count) { _, _ in
    generator.uniform()
  }
  let tangent = workspace.outputTangent(values, along: direction)
  var gradients = network.zeros()
  workspace.backward(values, from: u, into: &gradients)
  let (left, right) = (dot(u, tangent), zip(gradients, direction).reduce(0) { $0 + dot($1.0, $1.1) })
  let scale = nrm2(u) * nrm2(tangent)
  #expect(scale > 1e-3)
  #expect(abs(left - right) < 1e-12 * scale)
}

func gradients<S: KernelScalar>(
  _ subject: NetworkCase, _ problem: Problem, _: S.Type, threads: Int
) throws -> [[Double]] {
  let workspace = try subject.network(S.self).makeWorkspace(threads: threads)
  let values = problem.values(workspace.network)
  var gradients = workspace.network.zeros()
  workspace.forward(values, problem.inputs(S.self), .classes(problem.classes), mode: subject.mode)
  workspace.backward(values, into: &gradients)
  return gradients.map { $0.array.map(Double.init) }
}

/// The largest difference over the largest magnitude.
func error(_ got: [Double], _ expected: [Double]) -> Double {
  got.count != expected.count
    ? .infinity : zip(got, expected).map { abs($0 - $1) }.max()! / expected.map(abs).max()!
}
