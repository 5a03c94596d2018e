import FisherLinearAlgebra
import FisherOptimizers

/// A part of a parameter that is preconditioned by itself: all of it, unless an axis is longer than a block.
///
/// A dense layer's weight has two axes, a convolution's three: outputs, channels, taps. Axes of one element are left out:
/// there is nothing to turn on them. A tensor is held as a matrix of its first axis by all others, row-major; what is done on
/// each axis in turn is done on the first, which then moves to the end.
struct TensorBlock {
  /// The name of the parameter.
  let owner: String
  /// What of the parameter's matrix belongs to the block.
  let rows: Range<Int>
  let columns: Range<Int>
  /// The sizes of the axes, at least one.
  let axes: [Int]
  /// The places in `axes` of those that are preconditioned.
  let modes: [Int]
  /// `.3` for the fourth of several blocks.
  let label: String

  func factorSlot(_ mode: Int) -> String { "H\(mode + 1)\(label)" }
  func rootSlot(_ mode: Int) -> String { "P\(mode + 1)\(label)" }

  /// The blocks of a parameter; none if it has no elements.
  static func blocks(of parameter: ParameterInfo, for method: Shampoo) -> [TensorBlock] {
    if parameter.count == 0 { return [] }
    let taps = parameter.shape.dropFirst(2).reduce(1, *)
    let rows = cut(parameter.rows, method.blockSize)
    let channels = cut(parameter.columns / taps, method.blockSize)
    var blocks: [TensorBlock] = []
    for r in rows {
      for c in channels {
        let axes = [r.count, c.count, taps].filter { $0 > 1 }
        let all = axes.isEmpty ? [1] : axes
        let shortest = all.indices.min { all[$0] < all[$1] } ?? 0
        blocks.append(
          TensorBlock(
            owner: parameter.name, rows: r, columns: c.lowerBound * taps..<c.upperBound * taps, axes: all,
            modes: method.sides == .all ? Array(all.indices) : [shortest],
            label: rows.count * channels.count == 1 ? "" : ".\(blocks.count)"))
      }
    }
    return blocks
  }

  /// 0..<n in as few parts of nearly the same size as have at most `size` elements each.
  private static func cut(_ n: Int, _ size: Int) -> [Range<Int>] {
    let parts = (n - 1) / size + 1
    return (0..<parts).map { $0 * n / parts..<($0 + 1) * n / parts }
  }

  /// The block of a parameter's gradient, its first axis as rows.
  func part<S: KernelScalar>(of x: Matrix<S>) -> Matrix<S> {
    let part = x[rows: rows, columns: columns]
    return part.rows == axes[0] ? part : part.reshaped(rows: axes[0], columns: part.count / axes[0])
  }

  /// The next axis as rows: axis i has become the last one.
  func turned<S: KernelScalar>(_ x: Matrix<S>, after i: Int) -> Matrix<S> {
    let next = axes[(i + 1) % axes.count]
    let turned = x.transposed
    return turned.rows == next ? turned : turned.reshaped(rows: next, columns: x.count / next)
  }
}
