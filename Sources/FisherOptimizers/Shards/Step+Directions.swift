public import FisherLinearAlgebra
import FisherRuntime

/// A direction that products make of a gradient or a momentum, without any other rank's samples.
public struct Direction<Scalar: KernelScalar> {
  /// The parameter or the layer that it belongs to.
  public let owner: String
  public let rows, columns: Int
  public let flops: Double
  let write: (_ direction: inout Matrix<Scalar>, _ threads: Int) -> Void

  /// - Parameters:
  ///   - owner: whose direction it is.
  ///   - rows: of the direction.
  ///   - columns: of the direction.
  ///   - flops: what it costs.
  ///   - write: writes all elements, which are undefined before, with at most so many threads, on which its results must not
  ///     depend.
  public init(
    of owner: String, rows: Int, columns: Int, flops: Double,
    _ write: @escaping (_ direction: inout Matrix<Scalar>, _ threads: Int) -> Void
  ) {
    (self.owner, self.rows, self.columns, self.flops, self.write) = (owner, rows, columns, flops, write)
  }

  /// Whether other ranks are sent it, and do not compute it themselves: with fewer flops for an element than this,
  /// computing it takes no longer than receiving it. 512 take a core as long as 4 bytes over a network of 10 Gb/s.
  var isWorthSending: Bool { flops >= 512 * Double(rows * columns) }
}

extension Step {
  /// Directions for use within this step. Large products are shared out among the ranks of the run, the others are
  /// computed by all of them.
  ///
  /// - Parameters:
  ///   - name: one that no state and no other matrix of this step has.
  ///   - tasks: of different owners.
  /// - Throws: ``StepRefusal`` if the ranks cannot go on.
  public mutating func directions(
    _ name: String, _ tasks: [Direction<Scalar>]
  ) throws(StepRefusal) -> [Matrix<Scalar>] {
    var directions = tasks.map { _ in Matrix<Scalar>(rows: 0, columns: 0) }
    for isSent in [true, false] {
      let chosen = tasks.indices.filter { tasks[$0].isWorthSending == isSent }
      var results = chosen.map { i in
        [memory(for: name, of: tasks[i].owner, rows: tasks[i].rows, columns: tasks[i].columns)]
      }
      let costs = chosen.map { tasks[$0].flops }
      let time = productMicroseconds(Scalar.self, costs.reduce(0, +))
      _ = try fill(
        &results, costs: costs, among: isSent ? objective.sharing : nil,
        threads: Parallel.allowance(threads, microseconds: time)
      ) { i, direction, threads in
        tasks[chosen[i]].write(&direction[0], threads)
        return 0
      }
      for (i, result) in zip(chosen, results) {
        keep(result[0], for: name, of: tasks[i].owner)
        directions[i] = result[0]
      }
    }
    return directions
  }
}
