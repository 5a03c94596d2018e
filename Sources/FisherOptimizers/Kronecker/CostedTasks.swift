import FisherRuntime

/// Tasks of known cost on several threads, the longest first.
package enum CostedTasks {
  /// Runs `task` for every index of `costs`, with the number of threads that it may use itself.
  ///
  /// One that takes longer than all others together on the other threads comes before them and gets all threads; the
  /// rest run beside one another. Results must not depend on the threads.
  package static func perform(
    costs: [Double], threads: Int, _ task: (_ index: Int, _ threads: Int) -> Void
  ) {
    var order = costs.indices.sorted { (costs[$1], $0) < (costs[$0], $1) }[...]
    var rest = costs.reduce(0, +)
    while let first = order.first, costs[first] * Double(threads) > rest {
      task(first, threads)
      rest -= costs[first]
      order.removeFirst()
    }
    let together = Array(order)
    Parallel.perform(together.count, threads: threads) { task(together[$0], 1) }
  }
}
