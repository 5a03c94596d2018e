public import FisherLinearAlgebra
import FisherRuntime

extension Step {
  /// Fills matrices by tasks of known cost, which know nothing of one another: inverses, roots, bases.
  ///
  /// The ranks of the run share the tasks out, the longest first, and each has its own on all of its threads; then all
  /// ranks get all results. So every rank leaves with the bits that one alone would have computed.
  ///
  /// - Parameters:
  ///   - results: the matrices of each task, of the shapes that they keep; undefined elements before.
  ///   - costs: of each task, in whatever unit: flops, say.
  ///   - task: writes its matrices, with at most so many threads, on which its results must not depend. What it returns,
  ///     from 0 to 2²⁴, all ranks get to know.
  /// - Returns: what the tasks have returned.
  /// - Throws: ``StepRefusal`` if the ranks cannot go on.
  public func fill(
    _ results: inout [[Matrix<Scalar>]], costs: [Double],
    _ task: (_ index: Int, _ results: inout [Matrix<Scalar>], _ threads: Int) -> Int
  ) throws(StepRefusal) -> [Int] {
    try fill(&results, costs: costs, among: objective.sharing, threads: threads, task)
  }

  /// The same among some ranks; nil for this one alone.
  func fill(
    _ results: inout [[Matrix<Scalar>]], costs: [Double], among sharing: (any WorkSharing)?, threads: Int,
    _ task: (_ index: Int, _ results: inout [Matrix<Scalar>], _ threads: Int) -> Int
  ) throws(StepRefusal) -> [Int] {
    require(results.count == costs.count, "Step: \(costs.count) costs for \(results.count) tasks")
    let owners = LongestFirst.owners(costs: costs, ranks: sharing?.size ?? 1)
    let own = owners.indices.filter { owners[$0] == sharing?.rank ?? 0 }
    var outcomes = [Int](repeating: 0, count: costs.count)
    results.withUnsafeMutableBufferPointer { results in
      outcomes.withUnsafeMutableBufferPointer { outcomes in
        // Each task writes its own matrices and its own outcome.
        nonisolated(unsafe) let (results, outcomes) = (results, outcomes)
        CostedTasks.perform(costs: own.map { costs[$0] }, threads: threads) { i, threads in
          outcomes[own[i]] = task(own[i], &results[own[i]], threads)
        }
      }
    }
    if let sharing, sharing.size > 1, !results.isEmpty {
      try exchange(&results, &outcomes, owners, sharing)
    }
    return outcomes
  }

  /// Gives all ranks what each has computed: one rank's tasks after another's, each outcome behind its matrices.
  private func exchange(
    _ results: inout [[Matrix<Scalar>]], _ outcomes: inout [Int], _ owners: [Int], _ sharing: any WorkSharing
  ) throws(StepRefusal) {
    let tasks = (0..<sharing.size).map { rank in owners.indices.filter { owners[$0] == rank } }
    let counts = tasks.map { $0.reduce(0) { $0 + results[$1].reduce(1) { $0 + $1.count } } }
    try sharing.allGather(
      counts: counts,
      write: { (all: inout MutableSpan<Scalar>) in
        var place = 0
        for task in tasks[sharing.rank] {
          for matrix in results[task] {
            matrix.withSpan { all.copy($0, at: place) }
            place += matrix.count
          }
          all[place] = Scalar(outcomes[task])
          place += 1
        }
      },
      read: { rank, all in
        var place = 0
        for task in tasks[rank] {
          for m in results[task].indices {
            let range = place..<place + results[task][m].count
            results[task][m].withMutableSpan { $0.copy(all.extracting(range)) }
            place = range.upperBound
          }
          outcomes[task] = Int(Double(all[place]))
          place += 1
        }
      })
  }
}
