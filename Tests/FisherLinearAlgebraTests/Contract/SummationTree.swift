import FisherLinearAlgebra
import FisherTestSupport

/// The order in which the products behind an element are added: a binary tree whose leaves are the steps of k.
///
/// It is revealed from outside, by masks: with every product 1 but two, which are M and −M with M + k = M, all that is
/// added to either before they meet is lost, and the rest survives. So k less the result is the number of leaves of the
/// smallest subtree that holds both, and these numbers determine the tree.
///
/// Source: Xie, Zhang & Li, FPRev, USENIX ATC 2025.
indirect enum SummationTree: Equatable {
  case leaf(Int)
  case sum(SummationTree, SummationTree)

  /// The tree of the numerical contract: a chain for every k block, the blocks one after the other.
  static func contract(_ k: Int, _ kind: ScalarKind) -> SummationTree {
    let length = blockLength(k, kind)
    return chain(stride(from: 0, to: k, by: length).map { chain(($0..<min(k, $0 + length)).map(leaf)) })
  }

  /// The steps of a k block: docs/numerics.md.
  static func blockLength(_ k: Int, _ kind: ScalarKind) -> Int {
    let limit = kind == .float ? 512 : 256
    let blocks = (k + limit - 1) / limit
    return blocks == 1 ? k : ((k + blocks - 1) / blocks + 7) / 8 * 8
  }

  /// ((t₀ + t₁) + t₂) + …
  static func chain(_ trees: [SummationTree]) -> SummationTree { trees.dropFirst().reduce(trees[0], sum) }

  /// The tree of `count` leaves in which those of the smallest subtree with i < j are `common(i, j)`.
  static func revealed(_ count: Int, _ common: (Int, Int) -> Int) -> SummationTree {
    func tree(_ leaves: [Int]) -> SummationTree {
      // What joins the first leaf at the same node is a tree of its own.
      let first = leaves[0]
      let groups = Dictionary(grouping: leaves.dropFirst()) { common(first, $0) }
      return groups.sorted { $0.key < $1.key }.reduce(.leaf(first)) { .sum($0, tree($1.value)) }
    }
    return tree(Array(0..<count))
  }

  var leaves: [Int] {
    switch self {
    case .leaf(let i): [i]
    case .sum(let a, let b): a.leaves + b.leaves
    }
  }
}

extension SummationTree: CustomStringConvertible {
  /// `0…511 + 512…1023`: chains of leaves with their first, their second if it is not the next, and their last.
  var description: String {
    var (parts, rest) = ([SummationTree](), self)
    while case .sum(let a, let b) = rest {
      parts.append(b)
      rest = a
    }
    parts.append(rest)
    parts.reverse()
    // A chain of single leaves comes first, then what is added to it.
    var chain: [Int] = []
    while let part = parts.first, case .leaf(let i) = part,
      chain.count < 2 || i - chain.last! == chain[1] - chain[0]
    {
      chain.append(i)
      parts.removeFirst()
    }
    var text = chain.count < 3 ? chain.map(String.init).joined(separator: " + ") : "\(chain[0])"
    if chain.count > 2 {
      if chain[1] != chain[0] + 1 { text += ", \(chain[1])" }
      text += "…\(chain.last!)"
    }
    for part in parts {
      if case .leaf(let i) = part { text += " + \(i)" } else { text += " + (\(part))" }
    }
    return text
  }
}
