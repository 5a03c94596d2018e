import FisherDistributed
import FisherRuntime
import FisherTestSupport
import Testing

/// Small, so that nearly all goes through the windows.
private let slot = 4096

/// Fractions of both signs and many sizes, so that the order of a sum shows in its bits.
private func number(_ seed: Int, _ leaf: Int, _ i: Int) -> Double {
  var generator = KeyedGenerator(UInt64(seed), UInt64(leaf), UInt64(i))
  let bits = generator.next()
  return (Double(bits >> 12) * 0x1p-52 - 0.5) * Double(1 << (bits & 31))
}

private func naiveSum(_ node: Range<Int>, _ leaf: (Int) -> Double) -> Double {
  if node.count == 1 { return leaf(node.lowerBound) }
  let middle = node.lowerBound + (node.count + 1) / 2
  return naiveSum(node.lowerBound..<middle, leaf) + naiveSum(middle..<node.upperBound, leaf)
}

extension MutableSpan where Element: BitwiseCopyable {
  fileprivate mutating func set(_ numbers: [Element]) {
    for i in numbers.indices { self[i] = numbers[i] }
  }
}

extension Span where Element: BitwiseCopyable {
  fileprivate var array: [Element] { indices.map { self[$0] } }
}

/// Numbers that are written and read where the ranks share them.
@Suite struct WindowTests {
  /// The sum of the tree, bit for bit, whatever ranks and leaves; vectors get longer and shorter.
  @Test(arguments: [1, 2, 3, 5, 8, 11])
  func sumsAreThoseOfTheTree(leaves: Int) throws {
    let sizes = [0, 1, 513, 1025, 9001, 31, 700]
    for ranks in 1...min(4, leaves) {
      let tree = ReductionTree(leaves: leaves, ranks: ranks)
      let answers = try asRanks(ranks, slotBytes: slot) { c in
        try sizes.map { n in
          var accumulator = TreeAccumulator<Double>(tree, rank: c.rank)
          let own = tree.leaves(of: c.rank)
          for leaf in own.dropLast() { accumulator.add((0..<n).map { number(n, leaf, $0) }) }
          var sums: [Double] = []
          try accumulator.allReduce(
            0..<n, by: c, last: { $0.set((0..<n).map { number(n, own.upperBound - 1, $0) }) },
            read: { sums = $0.array })
          return sums
        }
      }
      for (place, n) in sizes.enumerated() {
        let expected = (0..<n).map { i in naiveSum(0..<leaves) { number(n, $0, i) }.bitPattern }
        for answer in answers {
          #expect(answer[place].map(\.bitPattern) == expected, "\(ranks) ranks, \(n) numbers")
        }
      }
    }
  }

  @Test(arguments: [1, 2, 3, 4])
  func partsOfAnySizeAreGathered(ranks: Int) throws {
    for counts in [[3, 0, 5000, 1], [600, 1, 0, 9], [0, 0, 0, 0], [2, 3, 4, 5], [9000, 700, 700, 8000]] {
      let counts = Array(counts.prefix(ranks))
      let answers = try asRanks(ranks, slotBytes: slot) { c in
        var all = Array(repeating: [Float](), count: ranks)
        try c.allGather(
          counts: counts,
          write: { (own: inout MutableSpan<Float>) in
            own.set((0..<counts[c.rank]).map { Float(number(4, c.rank, $0)) })
          }, read: { all[$0] = $1.array })
        return all
      }
      for (rank, answer) in answers.enumerated() {
        for other in 0..<ranks where other != rank {
          #expect(answer[other] == (0..<counts[other]).map { Float(number(4, other, $0)) })
        }
      }
    }
  }

  /// Whoever reads late still reads what belongs to its turn, though others have long begun the next one.
  @Test func lateReadersAreNotDisturbed() throws {
    let answers = try asRanks(3, slotBytes: slot) { c in
      var wrong = 0
      for turn in 0..<200 {
        let n = 600 + turn * 37 % 900
        func late() { if (turn * 5 + c.rank * 2) % 7 == 0 { usleep(400) } }
        if turn % 3 == 2 {
          try c.allGather(
            counts: [n, n + 1, n + 2],
            write: { (own: inout MutableSpan<Int>) in
              own.set((0..<n + c.rank).map { $0 * (c.rank + 1) + turn })
            },
            read: { rank, numbers in
              late()
              for i in numbers.indices where numbers[i] != i * (rank + 1) + turn { wrong += 1 }
            })
        } else {
          try c.allReduce(
            count: n, over: ReductionTree(leaves: 3, ranks: 3),
            write: { (own: inout MutableSpan<Int>) in own.set((0..<n).map { $0 * (c.rank + 1) + turn }) },
            read: { sums in
              late()
              for i in sums.indices where sums[i] != 6 * i + 3 * turn { wrong += 1 }
            })
        }
        if turn % 11 == 0 { try c.barrier() }
      }
      return wrong
    }
    #expect(answers == [0, 0, 0])
  }
}
