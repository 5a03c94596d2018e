import FisherRuntime

/// The order of a sum: a binary tree over leaves, each of which a rank has.
///
/// The leaves may be the ranks themselves, or more pieces of work than there are ranks. A node is a range of leaves and
/// the sum of its two halves, the first of which is the larger if they differ. Leaves go to ranks in runs of their order,
/// as even as can be, and the tree does not depend on how: any number of ranks gives the same bits.
public struct ReductionTree: Sendable, Hashable {
  /// At least as many as ranks.
  public let leaves: Int
  public let ranks: Int

  /// - Precondition: `leaves` ≥ `ranks` ≥ 1.
  public init(leaves: Int, ranks: Int) {
    require(ranks >= 1 && leaves >= ranks, "ReductionTree: \(leaves) leaves for \(ranks) ranks")
    self.leaves = leaves
    self.ranks = ranks
  }

  /// The leaves of a rank.
  public func leaves(of rank: Int) -> Range<Int> {
    rank * leaves / ranks..<(rank + 1) * leaves / ranks
  }

  /// The largest nodes whose leaves all belong to the rank, in the order of their leaves: what it can add up alone.
  public func nodes(of rank: Int) -> [Range<Int>] {
    var nodes: [Range<Int>] = []
    let own = leaves(of: rank)
    func visit(_ node: Range<Int>) {
      if !node.overlaps(own) { return }
      if node.clamped(to: own) == node {
        nodes.append(node)
      } else {
        visit(Self.first(of: node))
        visit(Self.second(of: node))
      }
    }
    visit(0..<leaves)
    return nodes
  }

  /// All ranks' nodes in their order.
  var allNodes: [Range<Int>] { (0..<ranks).flatMap(nodes) }

  /// The halves of a node with more than one leaf.
  static func first(of node: Range<Int>) -> Range<Int> {
    node.lowerBound..<node.lowerBound + (node.count + 1) / 2
  }
  static func second(of node: Range<Int>) -> Range<Int> {
    node.lowerBound + (node.count + 1) / 2..<node.upperBound
  }

  /// The sum of a number for each leaf.
  ///
  /// - Precondition: as many numbers as leaves.
  public func sum(_ numbers: [Double]) -> Double {
    require(numbers.count == leaves, "ReductionTree: \(numbers.count) numbers for \(leaves) leaves")
    func sum(_ node: Range<Int>) -> Double {
      node.count == 1
        ? numbers[node.lowerBound] : sum(Self.first(of: node)) + sum(Self.second(of: node))
    }
    return sum(0..<leaves)
  }
}
