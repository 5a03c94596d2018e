import FisherRuntime

/// The sums that a rank can form alone, from its leaves one after the other: two halves of a node become the node at once,
/// so that no more than one vector for each level of the tree is kept.
public struct TreeAccumulator<Number: BitwiseCopyable & AdditiveArithmetic & Sendable>: Sendable {
  private let tree: ReductionTree
  private let rank: Int
  private var sums: [(node: Range<Int>, vector: [Number])] = []
  private var next: Int

  public init(_ tree: ReductionTree, rank: Int) {
    self.tree = tree
    self.rank = rank
    next = tree.leaves(of: rank).lowerBound
  }

  /// Takes in the vector of the rank's next leaf.
  ///
  /// - Precondition: all have one length, and there is a leaf left.
  public mutating func add(_ vector: [Number]) {
    require(
      tree.leaves(of: rank).contains(next) && sums.allSatisfy { $0.vector.count == vector.count },
      "TreeAccumulator: \(vector.count) numbers for leaf \(next) of \(tree.leaves(of: rank))")
    sums.append((next..<next + 1, vector))
    next += 1
    while sums.count > 1 {
      let (first, second) = (sums[sums.count - 2].node, sums[sums.count - 1].node)
      let parent = first.lowerBound..<second.upperBound
      guard tree.hasNode(parent), ReductionTree.first(of: parent) == first else { return }
      let right = sums.removeLast().vector
      sums[sums.count - 1].node = parent
      // In place: out of the list for that time, so that nobody shares it.
      var left: [Number] = []
      swap(&left, &sums[sums.count - 1].vector)
      left.withUnsafeMutableBufferPointer { left in
        right.withUnsafeBufferPointer { right in
          if let a = left.baseAddress, let b = right.baseAddress { addVectors(a, b, to: a, left.count) }
        }
      }
      swap(&left, &sums[sums.count - 1].vector)
    }
  }

  /// The vectors of ``ReductionTree/nodes(of:)``, one after the other, as ``Communicator/allReduce(_:over:)`` takes them.
  ///
  /// - Precondition: all leaves have been added.
  public consuming func nodes() -> [Number] {
    require(
      sums.map(\.node) == tree.nodes(of: rank),
      "TreeAccumulator: \(sums.map(\.node)) in place of \(tree.nodes(of: rank))")
    return sums.count == 1 ? sums[0].vector : sums.flatMap(\.vector)
  }

  /// Takes in a part of the rank's last leaf and adds up those of all ranks.
  ///
  /// - Parameters:
  ///   - part: which elements of the vectors; parts may be added up one after the other, in any order.
  ///   - communicator: of as many ranks as the tree has.
  ///   - last: writes that part of the last leaf's vector, undefined before, where the ranks add it up.
  ///   - read: gets its sum over all leaves, for as long as it runs.
  /// - Precondition: all leaves but the last have been added, and their vectors have that part.
  /// - Throws: ``CommunicationError``.
  public func allReduce(
    _ part: Range<Int>, by communicator: any Communicator, last: (inout MutableSpan<Number>) -> Void,
    read: (Span<Number>) -> Void
  ) throws(CommunicationError) {
    let (own, count) = (tree.nodes(of: rank), part.count)
    require(
      next == tree.leaves(of: rank).upperBound - 1
        && sums.allSatisfy { part.lowerBound >= 0 && part.upperBound <= $0.vector.count },
      "TreeAccumulator: elements \(part) with leaf \(next) as the last of \(tree.leaves(of: rank))")
    try communicator.allReduce(
      count: count, over: tree,
      write: { nodes in
        var place = nodes._mutatingExtracting((own.count - 1) * count..<own.count * count)
        last(&place)
        // What is left of the last node are the left halves on the way down to its last leaf.
        for (node, vector) in sums.dropFirst(own.count - 1).reversed() {
          assert(own[own.count - 1].contains(node.lowerBound))
          place.withUnsafeMutableBufferPointer { b in
            vector.withUnsafeBufferPointer { a in
              if let a = a.baseAddress, let b = b.baseAddress {
                addVectors(a + part.lowerBound, b, to: b, count)
              }
            }
          }
        }
        for i in 0..<own.count - 1 {
          var place = nodes._mutatingExtracting(i * count..<(i + 1) * count)
          let vector = sums[i].vector
          place.copy(vector.span.extracting(part))
        }
      }, read: read)
  }
}

extension ReductionTree {
  /// Whether the range is a node.
  package func hasNode(_ range: Range<Int>) -> Bool {
    var node = 0..<leaves
    while node != range {
      if node.count == 1 { return false }
      let (first, second) = (Self.first(of: node), Self.second(of: node))
      if first.contains(range.lowerBound) { node = first } else { node = second }
    }
    return true
  }
}
