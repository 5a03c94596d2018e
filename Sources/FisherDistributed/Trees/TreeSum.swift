/// c ← a + b, element by element; c may be a or b.
@specialized(where Number == Float) @specialized(where Number == Double) @specialized(where Number == Int)
func addVectors<Number: BitwiseCopyable & AdditiveArithmetic>(
  _ a: UnsafePointer<Number>, _ b: UnsafePointer<Number>, to c: UnsafeMutablePointer<Number>, _ count: Int
) {
  // Of a loop for all three cases the compiler would make single steps whenever two of the pointers are one.
  if UnsafePointer(c) == a {
    for i in 0..<count { c[i] = c[i] + b[i] }
  } else if UnsafePointer(c) == b {
    for i in 0..<count { c[i] = a[i] + c[i] }
  } else {
    for i in 0..<count { c[i] = a[i] + b[i] }
  }
}

/// The sum over all leaves of a tree, for a part of the elements: from the vectors of all ranks' nodes.
struct TreeSum {
  private let nodes: [Range<Int>]
  private let root: Range<Int>
  private let depth: Int
  /// Elements that are summed at once: they and their partial sums stay in the nearest cache.
  private static let block = 1024

  init(_ tree: ReductionTree) {
    nodes = tree.allNodes
    root = 0..<tree.leaves
    depth = Int.bitWidth - tree.leaves.leadingZeroBitCount + 1
  }

  /// Writes the sums of `count` elements.
  ///
  /// - Parameters:
  ///   - parts: where the elements of each rank's nodes lie, in the order of ``ReductionTree/nodes(of:)`` by rank.
  ///   - target: where the sums go; may be one of the parts.
  func evaluate<Number: BitwiseCopyable & AdditiveArithmetic>(
    _ parts: [UnsafePointer<Number>], _ count: Int, to target: UnsafeMutablePointer<Number>
  ) {
    if parts.count == 1 {
      if target != parts[0] { target.update(from: parts[0], count: count) }
      return
    }
    if parts.count == 2 {
      addVectors(parts[0], parts[1], to: target, count)
      return
    }
    withUnsafeTemporaryAllocation(of: Number.self, capacity: (depth + 1) * Self.block) { scratch in
      guard let scratch = scratch.baseAddress else { return }
      var start = 0
      while start < count {
        let length = min(Self.block, count - start)
        var next = 0
        let sum = visit(root, parts, &next, start, length, scratch, 0)
        (target + start).update(from: sum, count: length)
        start += length
      }
    }
  }

  /// The sum over a node, in the scratch memory of its level unless it is one of the parts.
  private func visit<Number: BitwiseCopyable & AdditiveArithmetic>(
    _ node: Range<Int>, _ parts: [UnsafePointer<Number>], _ next: inout Int, _ start: Int, _ count: Int,
    _ scratch: UnsafeMutablePointer<Number>, _ level: Int
  ) -> UnsafePointer<Number> {
    if nodes[next] == node {
      next += 1
      return parts[next - 1] + start
    }
    let place = scratch + level * Self.block
    let first = visit(ReductionTree.first(of: node), parts, &next, start, count, scratch, level)
    let second = visit(ReductionTree.second(of: node), parts, &next, start, count, scratch, level + 1)
    addVectors(first, second, to: place, count)
    return UnsafePointer(place)
  }
}
