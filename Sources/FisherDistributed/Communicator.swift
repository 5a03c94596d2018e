import FisherRuntime

/// Processes that compute together, as one of them sees it: its rank, and what all of them do at the same place.
///
/// Every collective is called by all ranks, in the same order and with the same sizes. Sums have one order, that of a
/// ``ReductionTree``, so that their bits depend neither on timing nor on what carries them out. Not for use from two
/// threads at once; from two one after the other if ``servesAnyThread``.
public protocol Communicator: AnyObject {
  /// The number of this process, from 0.
  var rank: Int { get }
  /// The number of processes, at least 1.
  var size: Int { get }
  /// Whether any thread may call the collectives, one at a time; else only the thread that has made this. All ranks say the
  /// same.
  var servesAnyThread: Bool { get }
  /// Whether some ranks are on other machines, so that what is sent takes time in which this one's cores could compute. All
  /// ranks say the same.
  var spansMachines: Bool { get }

  /// Gives every rank the bytes of all.
  ///
  /// - Parameters:
  ///   - all: one rank's bytes after another's; this rank's own are in their place already.
  ///   - counts: the bytes of each rank, which add up to those of `all`.
  /// - Throws: ``CommunicationError``.
  func allGather(_ all: inout MutableRawSpan, counts: [Int]) throws(CommunicationError)

  /// The same for numbers that are written where the others read them.
  ///
  /// - Parameters:
  ///   - counts: how many each rank has.
  ///   - write: writes this rank's numbers; undefined before.
  ///   - read: gets each other rank's numbers, one rank's after another's, for as long as it runs.
  /// - Throws: ``CommunicationError``.
  func allGather<Number: BitwiseCopyable>(
    counts: [Int], write: (inout MutableSpan<Number>) -> Void, read: (_ rank: Int, Span<Number>) -> Void
  ) throws(CommunicationError)

  /// Gives every rank the bytes of one.
  ///
  /// - Throws: ``CommunicationError``.
  func broadcast(_ bytes: inout MutableRawSpan, from root: Int) throws(CommunicationError)

  /// Returns when all ranks have called it.
  ///
  /// - Throws: ``CommunicationError``.
  func barrier() throws(CommunicationError)

  /// Gives every rank the sum over the leaves of a tree, element by element.
  ///
  /// - Parameters:
  ///   - nodes: the sums over the leaves of each of this rank's ``ReductionTree/nodes(of:)``, one after the other, all of
  ///     one length; the sum over all leaves takes the place of the first.
  ///   - tree: over as many ranks as there are.
  /// - Throws: ``CommunicationError``.
  func allReduce<Number: BitwiseCopyable & AdditiveArithmetic>(
    _ nodes: inout MutableSpan<Number>, over tree: ReductionTree
  ) throws(CommunicationError)

  /// The same for numbers that are written where the ranks add them up, and read from there.
  ///
  /// - Parameters:
  ///   - count: the numbers of a node.
  ///   - tree: over as many ranks as there are.
  ///   - write: writes the sums over the leaves of each of this rank's nodes, one after the other; undefined before.
  ///   - read: gets the sum over all leaves, `count` numbers, for as long as it runs.
  /// - Throws: ``CommunicationError``.
  func allReduce<Number: BitwiseCopyable & AdditiveArithmetic>(
    count: Int, over tree: ReductionTree, write: (inout MutableSpan<Number>) -> Void,
    read: (Span<Number>) -> Void
  ) throws(CommunicationError)

  /// Says that this rank cannot go on, for whatever reason.
  ///
  /// - Returns: whether it is the one that tells the user; the others end in silence.
  func fail() -> Bool

  /// Ends what the ranks have in common: all of them have come here if `status` is 0, and otherwise this one has given up.
  func finish(status: Int32)
}

extension Communicator {
  /// No: what is safe for every communicator.
  public var servesAnyThread: Bool { false }
  public var spansMachines: Bool { false }

  public func allReduce<Number: BitwiseCopyable & AdditiveArithmetic>(
    count: Int, over tree: ReductionTree, write: (inout MutableSpan<Number>) -> Void,
    read: (Span<Number>) -> Void
  ) throws(CommunicationError) {
    try allReducePrivately(count: count, over: tree, write: write, read: read)
  }

  /// With the numbers in memory of this rank alone.
  func allReducePrivately<Number: BitwiseCopyable & AdditiveArithmetic>(
    count: Int, over tree: ReductionTree, write: (inout MutableSpan<Number>) -> Void,
    read: (Span<Number>) -> Void
  ) throws(CommunicationError) {
    let length = tree.nodes(of: rank).count * count
    var nodes = [Number](unsafeUninitializedCapacity: length) { $1 = length }
    var span = nodes.mutableSpan
    write(&span)
    try allReduce(&span, over: tree)
    read(nodes.span.extracting(0..<count))
  }

  public func allGather<Number: BitwiseCopyable>(
    counts: [Int], write: (inout MutableSpan<Number>) -> Void, read: (_ rank: Int, Span<Number>) -> Void
  ) throws(CommunicationError) {
    try allGatherPrivately(counts: counts, write: write, read: read)
  }

  /// With the numbers in memory of this rank alone.
  func allGatherPrivately<Number: BitwiseCopyable>(
    counts: [Int], write: (inout MutableSpan<Number>) -> Void, read: (_ rank: Int, Span<Number>) -> Void
  ) throws(CommunicationError) {
    let starts = partStarts(counts)
    let length = counts.reduce(0, +)
    var all = [Number](unsafeUninitializedCapacity: length) { $1 = length }
    var span = all.mutableSpan
    var own = span._mutatingExtracting(starts[rank]..<starts[rank] + counts[rank])
    write(&own)
    var bytes = span.mutableBytes
    try allGather(&bytes, counts: counts.map { $0 * MemoryLayout<Number>.stride })
    for other in 0..<size where other != rank {
      read(other, all.span.extracting(starts[other]..<starts[other] + counts[other]))
    }
  }

  /// Replaces the numbers of every rank by their sums over all ranks, in the order of the tree whose leaves are the ranks.
  ///
  /// - Throws: ``CommunicationError``.
  public func allReduce<Number: BitwiseCopyable & AdditiveArithmetic>(
    _ numbers: inout [Number]
  ) throws(CommunicationError) {
    var span = numbers.mutableSpan
    try allReduce(&span, over: ReductionTree(leaves: size, ranks: size))
  }

  /// The numbers of all ranks, one rank's after another's.
  ///
  /// - Parameters:
  ///   - own: those of this rank.
  ///   - counts: how many each rank has; nil if all have as many as this one.
  /// - Throws: ``CommunicationError``.
  public func allGather<Number: BitwiseCopyable & AdditiveArithmetic>(
    _ own: [Number], counts: [Int]? = nil
  ) throws(CommunicationError) -> [Number] {
    let counts = counts ?? Array(repeating: own.count, count: size)
    let start = counts[..<rank].reduce(0, +)
    require(
      own.count == counts[rank], "Communicator: \(own.count) numbers of rank \(rank) in place of \(counts)")
    // The others' parts are written before anybody reads them.
    var all = [Number](unsafeUninitializedCapacity: counts.reduce(0, +)) { all, count in count = all.count }
    var span = all.mutableSpan
    span.copy(own.span, at: start)
    var bytes = span.mutableBytes
    try allGather(&bytes, counts: counts.map { $0 * MemoryLayout<Number>.stride })
    return all
  }

  /// Replaces the numbers of every rank by those of one, which has as many.
  ///
  /// - Throws: ``CommunicationError``.
  public func broadcast<Number: BitwiseCopyable>(
    _ numbers: inout [Number], from root: Int = 0
  ) throws(CommunicationError) {
    var span = numbers.mutableSpan
    var bytes = span.mutableBytes
    try broadcast(&bytes, from: root)
  }

  /// The first rank whose number differs from that of rank 0; nil if all ranks have the same.
  ///
  /// - Throws: ``CommunicationError``.
  public func firstRank(differingIn number: UInt64) throws(CommunicationError) -> Int? {
    let all = try allGather([number])
    return all.firstIndex { $0 != all[0] }
  }
}
