import FisherDistributed
import FisherTestSupport
import Testing

/// The sum that MPI libraries carry out, with another way to send: shared memory, where all bytes go to all ranks and each
/// takes out what is its own.
private struct Exchange {
  let communicator: SharedMemoryCommunicator

  func gather(
    _ all: UnsafeMutableRawPointer, _ counts: [Int], _ starts: [Int]
  ) throws(CommunicationError) {
    var own = [UInt8](repeating: 0, count: counts[communicator.rank])
    own.withUnsafeMutableBytes {
      $0.copyMemory(from: UnsafeRawBufferPointer(start: all + starts[communicator.rank], count: $0.count))
    }
    let gathered = try communicator.allGather(own.map { Int($0) }, counts: counts)
    var place = 0
    for (start, count) in zip(starts, counts) {
      for i in 0..<count {
        all.storeBytes(of: UInt8(gathered[place + i]), toByteOffset: start + i, as: UInt8.self)
      }
      place += count
    }
  }

  func allToAll(
    _ source: UnsafeRawPointer, _ sent: [Int], _ target: UnsafeMutableRawPointer, _ received: [Int]
  ) throws(CommunicationError) {
    let rank = communicator.rank
    let table = try communicator.allGather(sent)
    let own = (0..<sent.reduce(0, +)).map { Int(source.load(fromByteOffset: $0, as: UInt8.self)) }
    let ranks = communicator.size
    let totals = (0..<ranks).map { table[$0 * ranks..<($0 + 1) * ranks].reduce(0, +) }
    let all = try communicator.allGather(own, counts: totals)
    var place = 0
    for other in 0..<ranks {
      let row = table[other * ranks..<(other + 1) * ranks]
      let start = totals[..<other].reduce(0, +) + row.prefix(rank).reduce(0, +)
      for i in 0..<received[other] {
        target.storeBytes(of: UInt8(all[start + i]), toByteOffset: place, as: UInt8.self)
        place += 1
      }
    }
  }
}

/// Few numbers are gathered, many are cut into slices, very many into pieces: always the sum of the tree, bit for bit.
@Test(arguments: [(2, 2), (3, 3), (2, 5), (3, 8)])
func nodesAreSummedByBytes(ranks: Int, leaves: Int) throws {
  for n in [0, 1, 2, 1000, 9001] {
    let tree = ReductionTree(leaves: leaves, ranks: ranks)
    let parts = (0..<ranks).map { rank in
      var accumulator = TreeAccumulator<Double>(tree, rank: rank)
      for leaf in tree.leaves(of: rank) {
        accumulator.add((0..<n).map { i in 1 / Double(1 + (i * 7 + leaf * 13) % 101) })
      }
      return accumulator.nodes()
    }
    let expected = try asRanks(ranks) { c in
      var nodes = parts[c.rank]
      var span = nodes.mutableSpan
      try c.allReduce(&span, over: tree)
      return Array(nodes.prefix(n))
    }
    let sums = try asRanks(ranks) { c in
      var nodes = parts[c.rank] + [0]
      let exchange = Exchange(communicator: c)
      try nodes.withUnsafeMutableBufferPointer { nodes throws(CommunicationError) in
        try NodeExchange<Double>(tree, rank: c.rank, count: n).run(
          nodes.baseAddress!, gather: exchange.gather, allToAll: exchange.allToAll)
      }
      return Array(nodes.prefix(n))
    }
    #expect(sums == expected, "\(n) numbers")
  }
}
