import FisherDistributed
import Foundation

/// A communicator that counts what goes through another one, and one of whose gatherings or sums may fail.
final class WatchedCommunicator: Communicator {
  private let base: any Communicator
  /// The number of the gathering that fails, from 0; nil for none.
  private let failing: Int?
  /// The number of the sum before which this rank gives up, from 0; nil for none.
  private let dying: Int?
  let spansMachines: Bool
  let servesAnyThread: Bool
  /// The numbers of bytes of every gathering, and those of every sum: of one leaf.
  private(set) var gathered: [Int] = []
  private(set) var summed: [Int] = []
  /// Whether each sum was carried out by the thread that has made this.
  private(set) var isOnThread: [Bool] = []
  private let thread = Thread.current

  init(
    _ base: any Communicator, failing: Int? = nil, dying: Int? = nil, spansMachines: Bool = false,
    servesAnyThread: Bool = true
  ) {
    (self.base, self.failing, self.dying) = (base, failing, dying)
    (self.spansMachines, self.servesAnyThread) = (spansMachines, servesAnyThread)
  }

  private func note(sum bytes: Int) throws(CommunicationError) {
    if summed.count == dying {
      _ = base.fail()
      throw .failedElsewhere(rank: rank)
    }
    summed.append(bytes)
    isOnThread.append(Thread.current == thread)
  }

  var rank: Int { base.rank }
  var size: Int { base.size }

  func allGather(_ all: inout MutableRawSpan, counts: [Int]) throws(CommunicationError) {
    gathered.append(all.byteCount)
    if gathered.count - 1 == failing { throw .failedElsewhere(rank: 7) }
    try base.allGather(&all, counts: counts)
  }
  func allGather<Number: BitwiseCopyable>(
    counts: [Int], write: (inout MutableSpan<Number>) -> Void, read: (_ rank: Int, Span<Number>) -> Void
  ) throws(CommunicationError) {
    gathered.append(counts.reduce(0, +) * MemoryLayout<Number>.stride)
    if gathered.count - 1 == failing { throw .failedElsewhere(rank: 7) }
    try base.allGather(counts: counts, write: write, read: read)
  }
  func broadcast(_ bytes: inout MutableRawSpan, from root: Int) throws(CommunicationError) {
    try base.broadcast(&bytes, from: root)
  }
  func barrier() throws(CommunicationError) { try base.barrier() }
  func allReduce<Number: BitwiseCopyable & AdditiveArithmetic>(
    _ nodes: inout MutableSpan<Number>, over tree: ReductionTree
  ) throws(CommunicationError) {
    try note(sum: nodes.count / tree.nodes(of: rank).count * MemoryLayout<Number>.stride)
    try base.allReduce(&nodes, over: tree)
  }
  func allReduce<Number: BitwiseCopyable & AdditiveArithmetic>(
    count: Int, over tree: ReductionTree, write: (inout MutableSpan<Number>) -> Void,
    read: (Span<Number>) -> Void
  ) throws(CommunicationError) {
    try note(sum: count * MemoryLayout<Number>.stride)
    try base.allReduce(count: count, over: tree, write: write, read: read)
  }
  func fail() -> Bool { base.fail() }
  func finish(status: Int32) { base.finish(status: status) }
}
