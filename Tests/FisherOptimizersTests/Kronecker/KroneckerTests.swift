import FisherLinearAlgebra
import FisherOptimizers
import Synchronization
import Testing

/// What methods with a preconditioner for each layer share.
@Suite struct KroneckerTests {
  @Test(arguments: [1, 2, 7])
  func everyTaskRunsOnceAndTheLongestFirst(threads: Int) {
    let costs: [Double] = [3, 1000, 5, 0, 5, 1]
    let runs = Mutex<[(Int, Int)]>([])
    CostedTasks.perform(costs: costs, threads: threads) { i, threads in
      runs.withLock { $0.append((i, threads)) }
    }
    let order = runs.withLock { $0 }
    #expect(order.map(\.0).sorted() == [0, 1, 2, 3, 4, 5])
    #expect(order[0].0 == 1 && (order[0].1 == threads || threads == 1))
    if threads == 1 { #expect(order.map(\.0) == [1, 2, 4, 0, 5, 3]) }
    // The long one has all threads, the others one each.
    if threads > 1 { #expect(order.dropFirst().allSatisfy { $0.1 == 1 || costs[$0.0] == 0 || threads > 2 }) }
    CostedTasks.perform(costs: [], threads: threads) { _, _ in Issue.record("there is no task") }
  }

  @Test func everyLayerIsRefreshedOnceInAPeriod() {
    for (period, count) in [(20, 10), (20, 3), (4, 9), (1, 5), (7, 7), (10, 1)] {
      var refreshes = [Int](repeating: 0, count: count)
      for number in 101...100 + period {
        let plan = RefreshPlan(step: number, statisticsPeriod: 1, refreshPeriod: period, keeping: 0.9)
        let now = plan.refreshed(Array(0..<count))
        for layer in now { refreshes[layer] += 1 }
        #expect(now.count <= (count + period - 1) / period, "\(count) layers in \(period) steps")
      }
      #expect(refreshes.allSatisfy { $0 == 1 })
    }
  }

  @Test func earlyStatisticsArePlainAverages() {
    let kept = (1...30).map {
      RefreshPlan(step: $0, statisticsPeriod: 3, refreshPeriod: 20, keeping: 0.8)
    }
    let isThird = (0..<30).map { (i: Int) -> Bool in i % 3 == 0 }
    #expect(kept.map(\.updatesStatistics) == isThird)
    let updates = kept.filter(\.updatesStatistics).map(\.kept)
    let expected: [Double] = [0, 0.5, 1 - 1 / 3.0, 0.75, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8]
    #expect(updates == expected)
    // The first three updates are followed at once.
    #expect(kept[..<9].map { $0.refreshes(1, of: 2) } == Array(isThird[..<9]))
  }

  @Test func layersAreWeightsWithTheirBiases() {
    let parameters = [
      ParameterInfo(name: "a.w", shape: [3, 2], role: .linearWeight, layer: "a"),
      ParameterInfo(name: "c.b", shape: [4], role: .bias, layer: "c"),
      ParameterInfo(name: "a.b", shape: [3], role: .bias, layer: "a"),
      ParameterInfo(name: "c.w", shape: [4, 2, 3, 3], role: .convolutionWeight, layer: "c"),
      ParameterInfo(name: "lonely", shape: [5], role: .bias, layer: "x"),
      ParameterInfo(name: "scale", shape: [5], role: .normScale, layer: "n"),
      ParameterInfo(name: "free", shape: [2, 2], role: .linearWeight),
    ]
    let layers = KroneckerLayer.layers(of: parameters)
    #expect(layers.map(\.owner) == ["a.w", "c.w", "free", "lonely"])
    #expect(layers.map(\.inputs) == [3, 19, 2, 1] && layers.map(\.outputs) == [3, 4, 2, 5])
    let V = Matrix<Double>(rows: 3, columns: 3) { Double(10 * $0 + $1) }
    let parts = layers[0].parts(of: V)
    #expect(parts.map(\.parameter.name) == ["a.w", "a.b"])
    #expect(parts[0].part == [[0, 1], [10, 11], [20, 21]] && parts[1].part == [[2, 12, 22]])
  }

  @Test func dampingIsDividedByMeanEigenvalues() {
    let (A, G): (Matrix<Double>, Matrix<Double>) = ([[8, 0], [1, 8]], [[2]])
    #expect(DampingSplit.pi.dampings(0.25, A, G) == (1, 0.25))
    #expect(DampingSplit.even.dampings(0.25, A, G) == (0.5, 0.5))
    let zero = Matrix<Double>(rows: 2, columns: 2)
    #expect(DampingSplit.pi.dampings(0.25, zero, G) == (0.5, 0.5))
    #expect(DampingSplit.pi.dampings(0.25, A, [[.nan]]) == (0.5, 0.5))
    #expect(DampingSplit.pi.dampings(0.25, A, [[.infinity]]) == (0.5, 0.5))
  }
}
