import FisherRuntime

// What is longer than a slot is written into the windows, and read where it lies. Where there is no memory for windows, slots
// have to do.

extension SharedMemoryCommunicator {
  /// Each rank adds up a slice of all ranks' vectors, which is the least that can be read and written; the sums lie in the
  /// window of rank 0.
  public func allReduce<Number: BitwiseCopyable & AdditiveArithmetic>(
    count: Int, over tree: ReductionTree, write: (inout MutableSpan<Number>) -> Void,
    read: (Span<Number>) -> Void
  ) throws(CommunicationError) {
    require(tree.ranks == size, "Communicator: a tree over \(tree.ranks) of \(size) ranks")
    let nodes = (0..<size).map { tree.nodes(of: $0).count }
    let bytes = count * MemoryLayout<Number>.stride
    let most = bytes * (nodes.max() ?? 1)
    guard try fill(nodes[rank] * count, most: most, write) else {
      return try allReducePrivately(count: count, over: tree, write: write, read: read)
    }
    var parts: [UnsafeMutablePointer<Number>] = []
    for other in 0..<size {
      let base = try windows.window(of: other)
      for i in 0..<nodes[other] { parts.append((base + i * bytes).assumingMemoryBound(to: Number.self)) }
    }
    let slice = slice(of: count, stride: MemoryLayout<Number>.stride)
    TreeSum(tree).evaluate(
      parts.map { UnsafePointer($0 + slice.lowerBound) }, slice.count, to: parts[0] + slice.lowerBound)
    try meet()
    read(UnsafeBufferPointer(start: parts[0], count: count).span)
    haveRead()
  }

  public func allGather<Number: BitwiseCopyable>(
    counts: [Int], write: (inout MutableSpan<Number>) -> Void, read: (_ rank: Int, Span<Number>) -> Void
  ) throws(CommunicationError) {
    require(
      counts.count == size && counts.allSatisfy { $0 >= 0 },
      "Communicator: counts \(counts) for \(size) ranks")
    let stride = MemoryLayout<Number>.stride
    let most = (counts.max() ?? 0) * stride
    guard try fill(counts[rank], most: most, write) else {
      return try allGatherPrivately(counts: counts, write: write, read: read)
    }
    for other in 0..<size where other != rank {
      let numbers = try windows.window(of: other).assumingMemoryBound(to: Number.self)
      read(other, UnsafeBufferPointer(start: numbers, count: counts[other]).span)
    }
    haveRead()
  }

  /// Writes this rank's window, and returns when all have written theirs.
  ///
  /// - Returns: false, on all ranks, if windows are not worth it, or there is no memory for them.
  private func fill<Number: BitwiseCopyable>(
    _ count: Int, most bytes: Int, _ write: (inout MutableSpan<Number>) -> Void
  ) throws(CommunicationError) -> Bool {
    if size == 1 || bytes <= segment.slotBytes || !hasWindows { return false }
    // Others may still read what lay there before.
    try wait(until: lastRead)
    if let own = try? windows.own(most: bytes) {
      var span = UnsafeMutableBufferPointer(start: own.assumingMemoryBound(to: Number.self), count: count)
        .mutableSpan
      write(&span)
    } else {
      segment.denyWindows(in: round + 1)
    }
    try meet()
    // Others may be further, and have none later.
    if let without = segment.roundWithoutWindow, without <= round { hasWindows = false }
    return hasWindows
  }

  private func haveRead() {
    arrive()
    lastRead = round
  }

  /// This rank's part of so many elements, on whole cache lines.
  private func slice(of count: Int, stride: Int) -> Range<Int> {
    let line = max(1, 128 / stride)
    func bound(_ rank: Int) -> Int { rank == size ? count : count * rank / size / line * line }
    return bound(rank)..<bound(rank + 1)
  }
}
