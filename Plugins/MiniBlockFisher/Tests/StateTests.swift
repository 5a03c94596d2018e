import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginMiniBlockFisher
import FisherRuntime
import FisherTestSupport
import OptimizerTestSupport
import Testing

/// When statistics and inverses change, what they are, and what happens when an inverse fails.
@Suite struct MiniBlockStateTests {
  @Test(arguments: [(1, 20), (2, 5), (3, 4), (5, 2), (10, 100)])
  func periods(T1: Int, T2: Int) throws {
    let parameters = [Run.convolution([2, 2, 3, 3])]
    var run = try Run(
      ["lr": 0.01, "statisticsPeriod": .integer(T1), "inversePeriod": .integer(T2)], parameters)
    for k in 0..<45 {
      let (G, C) = (run.state("G", of: "c"), run.state("C", of: "c"))
      try run.step([random(36, UInt64(k + 1))])
      #expect((run.state("G", of: "c") != G) == (k % T1 == 0), "step \(k)")
      // A refresh without new statistics since the last one finds the same bits.
      let refreshes = k % T2 == 0 || (k < T2 && k % T1 == 0)
      if !refreshes { #expect(run.state("C", of: "c") == C, "step \(k)") }
      if refreshes && k % T1 == 0 { #expect(run.state("C", of: "c") != C, "step \(k)") }
    }
  }

  @Test func inversesAreInverses() throws {
    let parameters = [Run.convolution([3, 3, 3, 3])] + Run.dense(4, 5)
    let trace = Trace(seed: Seed.first, steps: 10, parameters: parameters)
    var driver = try OptimizerDriver<Float>(
      try MiniBlockFisher(["damping": 0.01, "inversePeriod": 1]), parameters: parameters)
    var values = trace.matrices(trace.values, Float.self)
    for g in trace.gradients {
      var gradients = trace.matrices(g, Float.self)
      _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Float>())
    }
    for (owner, blocks, order) in [("c", 9, 9), ("w", 1, 6)] {
      func stack(_ slot: String) -> MatrixStack<Float> {
        let tensor = driver.state.tensors[SlotKey(owner, slot)]!
        return owner == "w"
          ? MatrixStack(splitting: tensor, count: 1)
          : InterleavedBatch(elements: tensor, count: blocks, order: order).stack()
      }
      let (G, C) = (stack("G"), stack("C"))
      for b in 0..<blocks {
        let damped = Matrix<Float>(rows: order, columns: order) {
          G[b][max($0, $1), min($0, $1)] + ($0 == $1 ? 0.01 : 0)
        }
        let product = damped.multiplied(by: C[b])
        let worst = (0..<order * order).map { abs(product.array[$0] - ($0 % (order + 1) == 0 ? 1 : 0)) }
          .max()!
        #expect(worst < 1e-4, "\(owner) \(b)")
      }
    }
  }

  @Test func warmStartIsAMean() throws {
    let parameters = [Run.convolution([2, 2, 2, 2])] + Run.dense(3, 2)
    let gradients = (0..<5).map { t in
      parameters.enumerated().map { random($1.count, UInt64(10 * t + $0 + 1)) }
    }
    func gathered(_ order: [Int]) throws -> [[Double]] {
      var run = try Run(["warmStart": 5], parameters)
      for t in order { try run.step(gradients[t]) }
      #expect(run.values.allSatisfy { $0.array.allSatisfy { $0 == 0 } })
      #expect(run.state("C", of: "c") == nil && run.state("M", of: "c") == nil)
      return [run.blocks("G", of: "c", count: 4, order: 4)!.array, run.state("G", of: "w")!.array]
    }
    let (a, b) = (try gathered([0, 1, 2, 3, 4]), try gathered([3, 1, 4, 0, 2]))
    for (a, b) in zip(a, b) { #expect(error(a, b) < 1e-14) }
    var mean = [Double](repeating: 0, count: 16)
    for g in gradients { for i in 0..<16 { mean[i] += g[0][i / 4] * g[0][i % 4] / 5 } }
    #expect(error(Array(a[0][0..<16]), mean) < 1e-14)
  }

  @Test func aConstantGradientIsAFixedPoint() throws {
    let parameter = Run.convolution([1, 1, 1, 4])
    let g = random(4, 9)
    var run = try Run([:], [parameter])
    for _ in 0..<30 { try run.step([g]) }
    let expected = (0..<16).map { g[$0 / 4] * g[$0 % 4] }
    #expect(error(run.blocks("G", of: "c", count: 1, order: 4)!.array, expected) < 1e-14)
  }

  /// The second kernel's block is singular in working precision, the first one's is not.
  @Test func aFailedInverseIsKept() throws {
    let parameter = Run.convolution([2, 1, 1, 3])
    var run = try Run(["damping": 1e-9, "beta": 0.5, "inversePeriod": 1, "lr": 1e-30], [parameter])
    #expect(try run.step([[1, 0, 0, 1, 0, 0]]).isEmpty)
    let before = try #require(run.blocks("C", of: "c", count: 2, order: 3))
    #expect(try run.step([[0, 1, 0, 0, 0x1p30, 0x1p30]]) == ["inverses kept": 1])
    let after = try #require(run.blocks("C", of: "c", count: 2, order: 3))
    #expect(after[rows: 3..<6, columns: 0...] == before[rows: 3..<6, columns: 0...])
    #expect(after[rows: 0..<3, columns: 0...] != before[rows: 0..<3, columns: 0...])
    // Without a former inverse it is that of the damping alone.
    var first = try Run(["damping": 1e-20, "lr": 1e-30], [parameter])
    #expect(try first.step([[1, 1, 1, 1, 0, 0]]) == ["inverses kept": 1])
    let kept = try #require(first.blocks("C", of: "c", count: 2, order: 3))
    #expect(kept[0, 0] == 1 / 1e-20 && kept[0, 1] == 0)
    // The same for a block that is too large for the lanes of a vector.
    let wide = [ParameterInfo(name: "w", shape: [1, 80], role: .linearWeight)]
    var large = try Run(["damping": 1e-20, "lr": 1e-30], wide)
    #expect(try large.step([[Double](repeating: 1, count: 80)]) == ["inverses kept": 1])
    #expect(large.state("C", of: "w")![79, 79] == 1 / 1e-20)
  }

  @Test func missingStateIsRefused() throws {
    let parameter = Run.convolution([2, 1, 1, 3])
    var run = try Run(["inversePeriod": 2, "statisticsPeriod": 2], [parameter])
    try run.step([random(6, 1)])
    run.driver.restore(OptimizerState(scalars: run.driver.state.scalars, stepCount: run.driver.stepCount))
    let values = run.values
    #expect {
      try run.step([random(6, 2)])
    } throws: {
      "\($0)".contains("has no C")
    }
    #expect(run.values == values && run.driver.stepCount == 1)
  }

  /// Above the order where blocks are inverted in the lanes of vectors.
  @Test(arguments: ["shared", "perNeuron"])
  func largeBlocks(dense: String) throws {
    let trace = Trace(seed: Seed.first, steps: 4, parameters: Run.dense(3, 70))
    let optimizer = try MiniBlockFisher([
      "dense": .choice(dense), "damping": 0.5, "lr": 0.05, "inversePeriod": 2,
    ])
    let expected = trace.runReference(optimizer.reference())
    #expect(relativeError(try trace.run(optimizer, Double.self), expected) < 1e-12)
  }
}
