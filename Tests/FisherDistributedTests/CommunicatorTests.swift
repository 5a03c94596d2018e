import FisherDistributed
import FisherRuntime
import FisherTestSupport
import Testing

/// Sizes around nothing, one, the blocks of a sum, and the slots, which are small here so that they are many.
private let sizes = [0, 1, 2, 3, 7, 64, 1023, 1024, 1025, 4097]
private let slot = 4096

/// Numbers that follow from a place: large and small, of both signs, so that the order of a sum shows in its bits.
private func number(_ seed: Int, _ rank: Int, _ i: Int) -> Double {
  var generator = KeyedGenerator(UInt64(seed), UInt64(rank), UInt64(i))
  let bits = generator.next()
  let mantissa = Double(bits >> 12) * 0x1p-52 - 0.5
  return mantissa * Double(1 << (bits & 31))
}

/// The sum over the leaves by the definition of the tree.
private func naiveSum<Number: AdditiveArithmetic>(
  _ node: Range<Int>, _ leaf: (Int) -> Number
) -> Number {
  if node.count == 1 { return leaf(node.lowerBound) }
  let middle = node.lowerBound + (node.count + 1) / 2
  return naiveSum(node.lowerBound..<middle, leaf) + naiveSum(middle..<node.upperBound, leaf)
}

@Suite struct CommunicatorTests {
  /// Every rank has the sum of the tree, bit for bit, for all element types.
  @Test(arguments: [1, 2, 3, 4, 5])
  func allReduceIsTheSumOfTheTree(ranks: Int) throws {
    let answers = try asRanks(ranks, slotBytes: slot) { c in
      var all: ([[Double]], [[Float]], [[Int]]) = ([], [], [])
      for n in sizes {
        var double = (0..<n).map { number(n, c.rank, $0) }
        var single = double.map { Float($0) }
        var integer = double.map { Int($0 * 1e6) }
        try c.allReduce(&double)
        try c.allReduce(&single)
        try c.allReduce(&integer)
        all.0.append(double)
        all.1.append(single)
        all.2.append(integer)
      }
      return all
    }
    for (place, n) in sizes.enumerated() {
      let double = (0..<n).map { i in naiveSum(0..<ranks) { number(n, $0, i) } }
      let single = (0..<n).map { i in naiveSum(0..<ranks) { Float(number(n, $0, i)) } }
      let integer = (0..<n).map { i in naiveSum(0..<ranks) { Int(number(n, $0, i) * 1e6) } }
      for answer in answers {
        #expect(answer.0[place].map(\.bitPattern) == double.map(\.bitPattern), "\(n) doubles")
        #expect(answer.1[place].map(\.bitPattern) == single.map(\.bitPattern), "\(n) floats")
        #expect(answer.2[place] == integer, "\(n) integers")
      }
    }
  }

  /// However many ranks share the leaves out: the same bits as one that has them all.
  @Test(arguments: [1, 2, 3, 4, 5, 8, 11])
  func leavesHaveOneSum(leaves: Int) throws {
    for n in [0, 1, 5, 1025] {
      let expected = (0..<n).map { i in naiveSum(0..<leaves) { number(leaves, $0, i) }.bitPattern }
      for ranks in 1...min(4, leaves) {
        let answers = try asRanks(ranks, slotBytes: slot) { c in
          let tree = ReductionTree(leaves: leaves, ranks: ranks)
          var accumulator = TreeAccumulator<Double>(tree, rank: c.rank)
          for leaf in tree.leaves(of: c.rank) { accumulator.add((0..<n).map { number(leaves, leaf, $0) }) }
          var nodes = accumulator.nodes()
          var span = nodes.mutableSpan
          try c.allReduce(&span, over: tree)
          return nodes.prefix(n).map(\.bitPattern)
        }
        for answer in answers {
          #expect(answer == expected, "\(leaves) leaves, \(ranks) ranks, \(n) numbers")
        }
      }
    }
  }

  @Test func anyOrderWouldNotDo() {
    var others = 0
    for i in 0..<50 {
      let numbers = (0..<7).map { number(1, $0, i) }
      let sum = naiveSum(0..<7) { numbers[$0] }
      if numbers.reduce(0, +) != sum { others += 1 }
      #expect(ReductionTree(leaves: 7, ranks: 3).sum(numbers) == sum)
    }
    #expect(others > 10, "these numbers could not tell orders apart")
  }

  @Test(arguments: [1, 2, 3, 4])
  func gathersPartsOfAnySize(ranks: Int) throws {
    let counts = Array([3, 0, 5000, 1].prefix(ranks))
    let answers = try asRanks(ranks, slotBytes: slot) { c in
      try c.allGather((0..<counts[c.rank]).map { number(2, c.rank, $0) }, counts: counts)
    }
    let all = counts.indices.flatMap { rank in (0..<counts[rank]).map { number(2, rank, $0) } }
    for answer in answers { #expect(answer == all) }
  }

  @Test(arguments: [1, 2, 3, 4])
  func broadcastsFromEveryRank(ranks: Int) throws {
    for n in [0, 1, 513, 3000] {
      let answers = try asRanks(ranks, slotBytes: slot) { c in
        try (0..<ranks).map { root in
          var numbers = (0..<n).map { number(root, c.rank, $0) }
          try c.broadcast(&numbers, from: root)
          return numbers
        }
      }
      for answer in answers {
        for root in 0..<ranks { #expect(answer[root] == (0..<n).map { number(root, root, $0) }) }
      }
    }
  }

  /// Many collectives of all kinds in a row, while ranks come late at places of their own.
  @Test func aLongRowOfCollectives() throws {
    let answers = try asRanks(3, slotBytes: slot) { c in
      var hash: UInt64 = 0
      for turn in 0..<600 {
        if (turn * 7 + c.rank * 3) % 41 == 0 { usleep(300) }
        var generator = KeyedGenerator(3, UInt64(turn))
        let n = Int(generator.next() % 1500)
        var numbers = (0..<n).map { i in Float((i + 1) * (c.rank + 1) % 127) }
        switch generator.next() % 4 {
        case 0: try c.barrier()
        case 1: try c.broadcast(&numbers, from: turn % 3)
        case 2: numbers = try c.allGather(numbers)
        default: try c.allReduce(&numbers)
        }
        // After a barrier each has its own.
        let first = try c.allGather([numbers.isEmpty ? 0 : Double(numbers[numbers.count / 2])])
        for x in first { hash = hash &* 31 &+ x.bitPattern }
      }
      return hash
    }
    #expect(Set(answers).count == 1)
  }

  /// NaN and infinity arrive where they belong, and nowhere else.
  @Test func passesOnWhatIsNotFinite() throws {
    let answers = try asRanks(2, slotBytes: slot) { c in
      var numbers: [Float] = [1, c.rank == 1 ? .nan : 1, c.rank == 0 ? .infinity : 1, 4]
      try c.allReduce(&numbers)
      return numbers
    }
    for answer in answers {
      #expect(answer[0] == 2 && answer[1].isNaN && answer[2] == .infinity && answer[3] == 8)
    }
  }

  /// Whoever waits for a rank that has failed is told so, and one rank alone tells the user.
  @Test func aFailureEndsTheOthers() throws {
    let answers = try asRanks(3) { c in
      if c.rank == 1 { return c.fail() ? "tells" : "is silent" }
      do {
        try c.barrier()
        return "went on"
      } catch {
        return c.fail() ? "tells" : "\(error)"
      }
    }
    #expect(answers == ["rank 1 has failed", "tells", "rank 1 has failed"])
  }
}

@Suite struct ReductionTreeTests {
  /// Ranks have all leaves in order, each as many as the others or one more, and their nodes cover them.
  @Test func leavesAndNodesAreShared() {
    for leaves in 1...40 {
      for ranks in 1...leaves {
        let tree = ReductionTree(leaves: leaves, ranks: ranks)
        #expect((0..<ranks).flatMap { Array(tree.leaves(of: $0)) } == Array(0..<leaves))
        for rank in 0..<ranks {
          let own = tree.leaves(of: rank)
          #expect(own.count == leaves / ranks || own.count == (leaves - 1) / ranks + 1)
          #expect(tree.nodes(of: rank).flatMap { Array($0) } == Array(own))
          #expect(tree.nodes(of: rank).allSatisfy(tree.hasNode))
        }
      }
    }
  }

  @Test func theSlotsHoldManyNodes() throws {
    // 4096 bytes for up to four nodes of a rank.
    let answers = try asRanks(2, slotBytes: slot) { c in
      let tree = ReductionTree(leaves: 30, ranks: 2)
      var accumulator = TreeAccumulator<Float>(tree, rank: c.rank)
      for leaf in tree.leaves(of: c.rank) { accumulator.add(Array(repeating: Float(leaf), count: 2000)) }
      var nodes = accumulator.nodes()
      var span = nodes.mutableSpan
      try c.allReduce(&span, over: tree)
      return Array(nodes.prefix(2000))
    }
    for answer in answers { #expect(answer == Array(repeating: 435, count: 2000)) }
  }
}
