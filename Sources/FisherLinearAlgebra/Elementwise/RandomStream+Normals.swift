package import FisherRuntime
import KernelTemplates

extension RandomStream {
  /// Writes scale·(normal numbers of a range) by the best kernels of the machine: the same bits as ``normal(_:)`` has.
  ///
  /// - Parameters:
  ///   - range: of numbers, each from two words.
  ///   - scale: the deviation, or its negative; the products are rounded to the element type.
  ///   - x: room for as many elements.
  @specialized(where S == Float) @specialized(where S == Double)
  package func writeNormals<S: KernelScalar>(
    _ range: Range<Int>, times scale: Double = 1, to x: UnsafeMutablePointer<S>
  ) {
    if S.self == Float.self || S.self == Double.self {
      return S._kernels(.best).normals(of: self, range, times: scale, to: x)
    }
    // Numbers that count what is done with them have no kernels.
    var next = x
    forEachNormal(in: range) {
      next.pointee = S(scale * $0)
      next += 1
    }
  }
}
