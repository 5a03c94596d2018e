import FisherCommandLine
import FisherComparison
import FisherKit
import FisherRuntime
import Testing

@Suite struct WorkloadTests {
  @Test func namesAreUniqueAndFound() throws {
    #expect(Set(Workload.all.map(\.name)).count == Workload.all.count)
    for workload in Workload.all {
      #expect(try Workload.named(workload.name).definition == workload.definition)
    }
    #expect(throws: UsageError.self) { try Workload.named("digits-mpl") }
  }

  /// Every workload begins above its target, with a finite loss, and is asked at its last step.
  @Test(arguments: Workload.all.map(\.name))
  func beginsAboveItsTarget(name: String) throws {
    let workload = try Workload.named(name)
    let trainer = try workload.trainer(Double.self, SGD(), seed: 1, threads: 1)
    let loss = try trainer.evaluate().loss
    #expect(loss.isFinite && loss > 1.5 * workload.target && workload.budget % workload.interval == 0)
  }

  /// The second moments of the inputs are QΛQᵀ: their trace and the trace of their square follow from Λ, up to the
  /// sampling error of 250 examples.
  @Test func theSpectrumIsTheOneThatWasSet() throws {
    let (width, count, decades) = (SpectrumData.width, 250, 2)
    let data = SpectrumData.make(decades: decades, train: count, test: 1)
    let network = try Network<Double>(
      input: [width], [.linear(width)], loss: Loss<MeanReduction>.squaredError)
    var options = TrainingOptions()
    options.batchSize = count
    let trainer = try Trainer(network, data, optimizer: SGD(), options: options)
    // The Fisher matrix of squared errors is the Hessian: along a row of W it is vᵀ·E[x·xᵀ]·v.
    let eigenvalues = (0..<width).map { pow(10, -Double(decades * $0) / Double(width - 1)) }
    let probe = try trainer.probe(count: count)
    let gradient = probe.gradient
    var trace = 0.0
    for j in 0..<width {
      let direction = [
        Matrix<Double>(rows: width, columns: width) { i, k in i == 0 && k == j ? 1 : 0 },
        Matrix<Double>(rows: gradient[1].rows, columns: gradient[1].columns),
      ]
      // γ = √(N·dᵀHd)/|N·d·g|
      let slope = gradient[0][0, j]
      trace += pow(probe.γ(direction) * abs(slope), 2) * Double(count)
    }
    let expected = eigenvalues.reduce(0, +)
    // Var of Σ zᵢ²λᵢ is 2Σλ².
    let deviation = (2 * eigenvalues.reduce(0) { $0 + $1 * $1 } / Double(count)).squareRoot()
    #expect(abs(trace - expected) < 5 * deviation, "\(trace) for \(expected)")
  }
}
