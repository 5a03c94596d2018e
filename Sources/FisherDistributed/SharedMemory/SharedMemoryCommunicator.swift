import FisherRuntime

/// Ranks that are processes of one machine, or threads of one process: they read one another's bytes where they lie.
///
/// All collectives are made of rounds. In a round a rank writes up to a slot of bytes, says so, waits until the others have
/// said so, and reads what they have written. The slots of two rounds alternate: a rank that says that it has written
/// round k + 1 has read round k, and when all have said so, the slots of round k may be written again.
///
/// Vectors that are longer than a slot are summed in windows: each rank adds up a slice of all ranks' vectors, which is the
/// least that can be read and written, and all read the sums where they lie.
public final class SharedMemoryCommunicator: Communicator {
  public let rank: Int
  public var size: Int { segment.ranks }
  public var servesAnyThread: Bool { true }

  let segment: SharedSegment
  /// Whether another rank is known to have ended, and how.
  private let watch: @Sendable (_ rank: Int) -> String?
  /// Called with the exit status when this rank has finished.
  private let end: @Sendable (Int32) -> Void
  private(set) var round: UInt = 0
  let windows: SharedWindows
  /// There was memory for the windows of all ranks.
  var hasWindows = true
  /// The round that a rank has come to when it has read what it wanted from the windows.
  var lastRead: UInt = 0

  /// Two of these and what is made of them fit a cache of the second level.
  static let slotBytes = 1 << 18

  init(
    _ segment: SharedSegment, rank: Int, watch: @escaping @Sendable (Int) -> String? = { _ in nil },
    end: @escaping @Sendable (Int32) -> Void = { _ in }
  ) {
    require(
      rank >= 0 && rank < segment.ranks, "SharedMemoryCommunicator: rank \(rank) of \(segment.ranks)")
    self.segment = segment
    self.rank = rank
    self.watch = watch
    self.end = end
    windows = SharedWindows(segment, rank: rank)
  }

  /// The communicators of ranks that are threads of this process: each is for one thread.
  ///
  /// - Throws: ``CommunicationError``.
  public static func threads(_ count: Int) throws(CommunicationError) -> [SharedMemoryCommunicator] {
    try threads(count, slotBytes: slotBytes)
  }

  package static func threads(
    _ count: Int, slotBytes: Int
  ) throws(CommunicationError) -> [SharedMemoryCommunicator] {
    require(count >= 1, "SharedMemoryCommunicator: \(count) ranks")
    let segment = try SharedSegment(ranks: count, slotBytes: slotBytes)
    return (0..<count).map { SharedMemoryCommunicator(segment, rank: $0) }
  }

  public func fail() -> Bool { segment.claimFailure(rank) }

  public func finish(status: Int32) {
    // Nobody unmaps or exits while others still look.
    if status == 0 { try? barrier() }
    end(status)
  }

  public func barrier() throws(CommunicationError) { try exchange({ _ in }, { _ in }) }

  public func broadcast(_ bytes: inout MutableRawSpan, from root: Int) throws(CommunicationError) {
    require(root >= 0 && root < size, "Communicator: a broadcast from rank \(root) of \(size)")
    try bytes.withUnsafeMutableBytes { bytes throws(CommunicationError) in
      guard let base = bytes.baseAddress else { return }
      for start in stride(from: 0, to: bytes.count, by: segment.slotBytes) {
        let count = min(segment.slotBytes, bytes.count - start)
        try exchange(
          { if self.rank == root { $0.copyMemory(from: base + start, byteCount: count) } },
          { slots in
            if self.rank != root { (base + start).copyMemory(from: slots(root), byteCount: count) }
          })
      }
    }
  }

  public func allGather(_ all: inout MutableRawSpan, counts: [Int]) throws(CommunicationError) {
    requireCounts(counts, all.byteCount)
    try all.withUnsafeMutableBytes { all throws(CommunicationError) in
      guard let base = all.baseAddress else { return }
      let starts = partStarts(counts)
      for start in stride(from: 0, to: counts.max() ?? 0, by: segment.slotBytes) {
        func length(_ rank: Int) -> Int { max(0, min(segment.slotBytes, counts[rank] - start)) }
        try exchange(
          { $0.copyMemory(from: base + starts[self.rank] + start, byteCount: length(self.rank)) },
          { slots in
            for other in counts.indices where other != self.rank && length(other) > 0 {
              (base + starts[other] + start).copyMemory(from: slots(other), byteCount: length(other))
            }
          })
      }
    }
  }

  public func allReduce<Number: BitwiseCopyable & AdditiveArithmetic>(
    _ nodes: inout MutableSpan<Number>, over tree: ReductionTree
  ) throws(CommunicationError) {
    let own = requireNodes(nodes.count, tree)
    let count = nodes.count / own
    let most = (0..<size).map { tree.nodes(of: $0).count }.max() ?? 1
    // On whole cache lines.
    let room = segment.slotBytes / most / 64 * 64 / MemoryLayout<Number>.stride
    let sum = TreeSum(tree)
    let owners = (0..<size).flatMap { rank in tree.nodes(of: rank).indices.map { (rank, $0) } }
    if size == 1 { return }
    try nodes.withUnsafeMutableBufferPointer { nodes throws(CommunicationError) in
      guard let base = nodes.baseAddress else { return }
      for start in stride(from: 0, to: count, by: room) {
        let length = min(room, count - start)
        try exchange(
          { slot in
            let slot = slot.assumingMemoryBound(to: Number.self)
            for i in 0..<own { (slot + i * room).update(from: base + i * count + start, count: length) }
          },
          { slots in
            let parts = owners.map { owner, i in
              UnsafePointer(
                owner == self.rank
                  ? base + i * count + start : slots(owner).assumingMemoryBound(to: Number.self) + i * room)
            }
            sum.evaluate(parts, length, to: base + start)
          })
      }
    }
  }

  /// A round.
  ///
  /// - Parameters:
  ///   - write: puts this rank's bytes into its slot.
  ///   - read: gets a function that tells where a rank's bytes lie.
  private func exchange(
    _ write: (UnsafeMutableRawPointer) -> Void,
    _ read: ((Int) -> UnsafeMutableRawPointer) -> Void
  ) throws(CommunicationError) {
    write(segment.slot(of: rank, round: round + 1))
    try meet()
    read { segment.slot(of: $0, round: round) }
  }

  /// Goes on to the next round when all have come to it.
  func meet() throws(CommunicationError) {
    arrive()
    try wait(until: round)
  }

  func arrive() {
    round += 1
    segment.publish(rounds: round, of: rank)
  }

  func wait(until round: UInt) throws(CommunicationError) {
    for other in 0..<size where other != rank { try wait(for: other, round) }
  }

  /// Waits until a rank has come to a round. Its core may be needed by it, so the wait gives it away; a long one sleeps.
  private func wait(for other: Int, _ round: UInt) throws(CommunicationError) {
    var looks = 0
    while segment.rounds(of: other) < round {
      looks += 1
      if looks < 4096 {
        sched_yield()
        continue
      }
      if let failed = segment.failedRank { throw .failedElsewhere(rank: failed) }
      // It may have come here, and ended as it should, since the last look.
      if let how = watch(other), segment.rounds(of: other) < round { throw .ended(rank: other, how: how) }
      usleep(200)
    }
  }
}

/// Where each rank's part begins, if the parts of all lie one after another.
func partStarts(_ counts: [Int]) -> [Int] { counts.indices.map { counts[..<$0].reduce(0, +) } }

extension Communicator {
  func requireCounts(_ counts: [Int], _ bytes: Int) {
    require(
      counts.count == size && counts.allSatisfy { $0 >= 0 } && counts.reduce(0, +) == bytes,
      "Communicator: counts \(counts) for \(size) ranks and \(bytes) bytes")
  }

  /// The number of this rank's nodes.
  func requireNodes(_ count: Int, _ tree: ReductionTree) -> Int {
    let own = tree.nodes(of: rank).count
    require(
      tree.ranks == size && count % own == 0,
      "Communicator: \(count) numbers for \(own) nodes of a tree over \(tree.ranks) of \(size) ranks")
    return own
  }
}
