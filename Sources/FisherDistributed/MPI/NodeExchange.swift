/// Memory for what is under way, kept from sum to sum: the system hands out new pages one by one, as zeros.
package final class ExchangeMemory {
  private var bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  package init() {}
  deinit { bytes.deallocate() }

  /// Undefined bytes, at least so many; valid until the next call.
  func take(_ count: Int) -> UnsafeMutableRawPointer {
    if bytes.count < count || bytes.baseAddress == nil {
      bytes.deallocate()
      bytes = .allocate(byteCount: max(1, count), alignment: 64)
    }
    return bytes.baseAddress!
  }
}

/// A sum over a tree by a library that can only send bytes.
package struct NodeExchange<Number: BitwiseCopyable & AdditiveArithmetic> {
  private let sum: TreeSum
  /// The number of each rank's nodes.
  private let nodes: [Int]
  private let rank: Int
  private let count: Int
  private let memory: ExchangeMemory

  package typealias Gather = (UnsafeMutableRawPointer, _ counts: [Int], _ starts: [Int])
    throws(CommunicationError) ->
    Void
  package typealias AllToAll = (
    UnsafeRawPointer, _ sent: [Int], UnsafeMutableRawPointer, _ received: [Int]
  ) throws(CommunicationError) -> Void

  /// Up to so many bytes of all ranks together, latency is what counts.
  private static var fewBytes: Int { 1 << 16 }
  /// Bytes of a rank that are under way at once: the buffers are filled again while caches still have them.
  private static var mostBytes: Int { 1 << 21 }

  package init(
    _ tree: ReductionTree, rank: Int, count: Int, memory: ExchangeMemory = ExchangeMemory()
  ) {
    self.memory = memory
    sum = TreeSum(tree)
    nodes = (0..<tree.ranks).map { tree.nodes(of: $0).count }
    self.rank = rank
    self.count = count
  }

  private var stride: Int { MemoryLayout<Number>.stride }

  /// Sums in place: the rank's nodes, one after the other, become the sum, then undefined numbers.
  package func run(
    _ base: UnsafeMutablePointer<Number>, gather: Gather, allToAll: AllToAll
  ) throws(CommunicationError) {
    if count == 0 { return }
    let total = nodes.reduce(0, +)
    if total * count * stride <= Self.fewBytes { return try gatherAll(base, gather) }
    let piece = min(count, max(nodes.count, Self.mostBytes / stride / (nodes.max() ?? 1)))
    let room = nodes[rank] * piece
    let sent = memory.take((room + total * (piece / nodes.count + 1)) * stride)
      .assumingMemoryBound(to: Number.self)
    let received = sent + room
    for start in Swift.stride(from: 0, to: count, by: piece) {
      try scatter(base, start, min(piece, count - start), (sent, received), gather, allToAll)
    }
  }

  private func gatherAll(_ base: UnsafeMutablePointer<Number>, _ gather: Gather) throws(CommunicationError) {
    let total = nodes.reduce(0, +)
    let counts = nodes.map { $0 * count * stride }
    let starts = partStarts(counts)
    let all = memory.take(total * count * stride).assumingMemoryBound(to: Number.self)
    (all + starts[rank] / stride).update(from: base, count: nodes[rank] * count)
    try gather(all, counts, starts)
    sum.evaluate((0..<total).map { UnsafePointer(all + $0 * count) }, count, to: base)
  }

  /// Sums the elements from `start` on: each rank a slice of them.
  private func scatter(
    _ base: UnsafeMutablePointer<Number>, _ start: Int, _ length: Int,
    _ buffers: (sent: UnsafeMutablePointer<Number>, received: UnsafeMutablePointer<Number>), _ gather: Gather,
    _ allToAll: AllToAll
  ) throws(CommunicationError) {
    let ranks = nodes.count
    let bounds = (0...ranks).map { $0 * length / ranks }
    let slices = (0..<ranks).map { bounds[$0 + 1] - bounds[$0] }
    let (total, own) = (nodes.reduce(0, +), slices[rank])
    let (sent, received) = buffers
    var place = sent
    for other in 0..<ranks {
      for node in 0..<nodes[rank] {
        place.update(from: base + node * count + start + bounds[other], count: slices[other])
        place += slices[other]
      }
    }
    try allToAll(
      sent, slices.map { $0 * nodes[rank] * stride }, received, nodes.map { $0 * own * stride })
    sum.evaluate(
      (0..<total).map { UnsafePointer(received + $0 * own) }, own, to: base + start + bounds[rank])
    try gather(base + start, slices.map { $0 * stride }, bounds.dropLast().map { $0 * stride })
  }
}
