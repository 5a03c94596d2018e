/// The ranks that take a step together, as its optimizers see them: all of them plan the same step from the same numbers.
///
/// Whatever needs no other rank's samples, such as the inverse of a factor, can be computed by one of them and given to
/// all: ``Step/fill(_:costs:_:)``.
public protocol WorkSharing {
  /// The number of this rank, from 0.
  var rank: Int { get }
  /// The number of ranks, at least 1.
  var size: Int { get }

  /// Gives every rank the numbers of all.
  ///
  /// - Parameters:
  ///   - counts: how many each rank has.
  ///   - write: writes this rank's numbers; undefined before.
  ///   - read: gets each other rank's numbers, for as long as it runs.
  /// - Throws: ``StepRefusal`` if the ranks cannot go on.
  func allGather<Number: BitwiseCopyable>(
    counts: [Int], write: (inout MutableSpan<Number>) -> Void, read: (_ rank: Int, Span<Number>) -> Void
  ) throws(StepRefusal)
}

/// Who carries out which task: the longest goes first, to whoever has the least to do so far (R. L. Graham 1969: at most
/// 4/3 of the shortest time that there is).
package enum LongestFirst {
  /// The rank of each task. It follows from the costs alone, so that all ranks agree.
  package static func owners(costs: [Double], ranks: Int) -> [Int] {
    var owners = [Int](repeating: 0, count: costs.count)
    var loads = [Double](repeating: 0, count: ranks)
    for task in costs.indices.sorted(by: { (costs[$1], $0) < (costs[$0], $1) }) {
      let least = loads.indices.min { (loads[$0], $0) < (loads[$1], $1) } ?? 0
      owners[task] = least
      loads[least] += costs[task]
    }
    return owners
  }
}
