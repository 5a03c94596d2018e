import FisherKit
import FisherRuntime

/// Ranks of this machine whose messages take the time of a network that works by itself: as long as one is under way the rank
/// sleeps, and its core is free.
///
/// A sum of n bytes takes 2·α·log₂ R + 2·n/β from when the last rank has come, anything else α·log₂ R + n/β.
final class ModelledNetwork: Communicator {
  private let base: any Communicator
  /// α in seconds, and β in bytes a second.
  private let latency, bandwidth: Double

  init(_ base: any Communicator, latency: Double, bandwidth: Double) {
    (self.base, self.latency, self.bandwidth) = (base, latency, bandwidth)
  }

  var rank: Int { base.rank }
  var size: Int { base.size }
  var servesAnyThread: Bool { base.servesAnyThread }
  var spansMachines: Bool { true }

  private func pass(turns: Double, bytes: Int) throws(CommunicationError) {
    try base.barrier()
    let levels = Double(Int.bitWidth - (size - 1).leadingZeroBitCount)
    usleep(UInt32(1e6 * turns * (latency * levels + Double(bytes) / bandwidth)))
  }

  func allGather(_ all: inout MutableRawSpan, counts: [Int]) throws(CommunicationError) {
    try pass(turns: 1, bytes: all.byteCount)
    try base.allGather(&all, counts: counts)
  }

  func allGather<Number: BitwiseCopyable>(
    counts: [Int], write: (inout MutableSpan<Number>) -> Void, read: (_ rank: Int, Span<Number>) -> Void
  ) throws(CommunicationError) {
    try pass(turns: 1, bytes: counts.reduce(0, +) * MemoryLayout<Number>.stride)
    try base.allGather(counts: counts, write: write, read: read)
  }

  func broadcast(_ bytes: inout MutableRawSpan, from root: Int) throws(CommunicationError) {
    try pass(turns: 1, bytes: bytes.byteCount)
    try base.broadcast(&bytes, from: root)
  }

  func barrier() throws(CommunicationError) { try base.barrier() }

  func allReduce<Number: BitwiseCopyable & AdditiveArithmetic>(
    _ nodes: inout MutableSpan<Number>, over tree: ReductionTree
  ) throws(CommunicationError) {
    try pass(turns: 2, bytes: nodes.count / tree.nodes(of: rank).count * MemoryLayout<Number>.stride)
    try base.allReduce(&nodes, over: tree)
  }

  func allReduce<Number: BitwiseCopyable & AdditiveArithmetic>(
    count: Int, over tree: ReductionTree, write: (inout MutableSpan<Number>) -> Void,
    read: (Span<Number>) -> Void
  ) throws(CommunicationError) {
    try pass(turns: 2, bytes: count * MemoryLayout<Number>.stride)
    try base.allReduce(count: count, over: tree, write: write, read: read)
  }

  func fail() -> Bool { base.fail() }
  func finish(status: Int32) { base.finish(status: status) }
}
