import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginShampoo
import FisherTestSupport
import OptimizerTestSupport
import Testing

/// When roots are computed, how good they are, and what happens when there is none.
@Suite struct ShampooRootTests {
  /// Steps on one matrix, with the state after each.
  private func states<S: KernelScalar>(
    _ shampoo: Shampoo, _ gradients: [Matrix<S>], threads: Int = 1
  ) throws -> [(state: OptimizerState<S>, events: [String: Int], value: Matrix<S>)] {
    let (m, n) = (gradients[0].rows, gradients[0].columns)
    var driver = try OptimizerDriver<S>(shampoo, parameters: [weight(m, n)], threads: threads)
    var values = [Matrix<S>(rows: m, columns: n)]
    return try gradients.map { g in
      var gradients = [g]
      let report = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<S>())
      return (driver.state, report.events, values[0])
    }
  }

  private func root<S>(_ i: Int, _ state: OptimizerState<S>) -> Matrix<S>? {
    state.tensors[SlotKey("w", "P\(i)")]
  }

  /// P⁴·(H + λ·I) = I for both ways to compute P.
  @Test(arguments: [Shampoo.Root.eigen, .newton])
  func rootsAreRoots(root way: Shampoo.Root) throws {
    let gradients = (0..<12).map { random(6, 9, UInt64(60 + $0)) }
    let (state, events, _) = try states(bare(beta2: 0.9, damping: 0.01, root: way), gradients).last!
    #expect(events.isEmpty)
    for (i, n) in [(1, 6), (2, 9)] {
      let lower = state.tensors[SlotKey("w", "H\(i)")]!
      var power = Matrix<Double>(rows: n, columns: n) {
        lower[max($0, $1), min($0, $1)] + ($0 == $1 ? 0.01 : 0)
      }
      for _ in 0..<4 { power = root(i, state)!.multiplied(by: power) }
      #expect(distance(power, Matrix(identity: n)) < (way == .eigen ? 1e-11 : 1e-5))
    }
  }

  /// Factors take turns; all of them in the first preconditioned step.
  @Test func rootsTakeTurns() throws {
    var shampoo = bare(beta2: 0.9, damping: 0.1, rootPeriod: 4)
    shampoo.startStep = 3
    let run = try states(shampoo, (0..<14).map { random(4, 5, UInt64(70 + $0)) })
    for t in 1...14 {
      let (before, after) = (t > 1 ? run[t - 2].state : OptimizerState(), run[t - 1].state)
      for (i, place) in [(1, 0), (2, 2)] {
        let isDue = t == 3 || (t > 3 && (t - 1) % 4 == place)
        #expect((root(i, before) != root(i, after)) == isDue, "step \(t), factor \(i)")
      }
    }
  }

  /// A matrix without any gradient so far has no roots: counted, and it stays; when one comes, it moves.
  @Test func anUnusedLayerStays() throws {
    let zero = Matrix<Float>(rows: 4, columns: 3)
    let G = Matrix<Float>(rows: 4, columns: 3) { Float($0) - 2 * Float($1) + 0.5 }
    let run = try states(Shampoo(startStep: 1, rootPeriod: 1), [zero, zero, G, G])
    #expect(run[1].events == ["roots kept": 2] && run[1].value == zero)
    #expect(run[3].events.isEmpty && run[3].value != zero && run[3].value.array.allSatisfy(\.isFinite))
  }

  /// Rank 1, and a spike a million times as large as what came before: finite steps of the graft's length.
  @Test(arguments: [Shampoo.Root.eigen, .newton])
  func spikesAndRankOne(root: Shampoo.Root) throws {
    let rankOne = Matrix<Float>(rows: 6, columns: 4) { Float($0 + 1) * Float($1 - 2) * 0.01 }
    let spike = Matrix<Float>(rows: 6, columns: 4) { i, j in 1e6 * Float((i * 5 + j * 3) % 7 - 3) }
    let shampoo = Shampoo(lr: 1, startStep: 1, rootPeriod: 1, root: root)
    let run = try states(shampoo, [rankOne, rankOne, spike, rankOne, spike, rankOne])
    for (before, after) in zip(run, run.dropFirst()) {
      let step = distance(
        Matrix(before.value.array.map(Double.init), rows: 6, columns: 4),
        Matrix(after.value.array.map(Double.init), rows: 6, columns: 4))
      #expect(step.isFinite && step < 50, "\(step)")
    }
  }

  /// The iteration has no answer for a factor that is singular in working precision: the former root stays.
  @Test func aBadRootIsKept() throws {
    let good = random(4, 4, 80)
    let run = try states(
      bare(beta2: 0, damping: 1e-30, root: .newton),
      [good, Matrix(rows: 4, columns: 4) { Double($0 + 1) * Double($1 + 2) }])
    #expect(run[1].events == ["roots kept": 2])
    #expect(root(1, run[1].state) == root(1, run[0].state) && root(2, run[1].state) == root(2, run[0].state))
  }

  @Test func threadsDoNotMatter() throws {
    let gradients = (0..<4).map { t in
      Matrix<Float>(rows: 70, columns: 90) { Float(($0 * 7 + $1 * 11 + t) % 19 - 9) }
    }
    let one = try states(Shampoo(startStep: 1, rootPeriod: 1), gradients)
    for threads in [2, 7] {
      #expect(
        try states(Shampoo(startStep: 1, rootPeriod: 1), gradients, threads: threads).last!.value
          == one.last!.value)
    }
  }
}
