import KernelTemplates

/// Square matrices of one order in scratch memory, and products of them.
struct ScratchSquares<S: KernelScalar> {
  let order: Int
  let base: UnsafeMutablePointer<S>
  let backend: any Backend
  let threads: Int

  /// Square `i`, row-major.
  subscript(i: Int) -> MutableMatrixPointer<S> {
    MutableMatrixPointer(
      base + i * order * order, rows: order, columns: order, rowStride: order, columnStride: 1)
  }

  /// C ← A·B
  func multiply(
    _ a: MutableMatrixPointer<S>, _ b: MutableMatrixPointer<S>, into c: MutableMatrixPointer<S>
  ) {
    backend.gemm(Gemm(alpha: 1, a: a.readOnly, b: b.readOnly, beta: 0, c: c), threads: threads)
  }

  /// Aᵖ by squaring, p ≥ 1.
  ///
  /// - Returns: where it is: in one of the two places, and the other one; or for p = 1 in A itself.
  func power(
    of a: MutableMatrixPointer<S>, _ p: Int, _ first: MutableMatrixPointer<S>,
    _ second: MutableMatrixPointer<S>
  ) -> (power: MutableMatrixPointer<S>, free: MutableMatrixPointer<S>) {
    var (power, target, other) = (a, first, second)
    for bit in (0..<p.bitWidth - 1 - p.leadingZeroBitCount).reversed() {
      multiply(power, power, into: target)
      (power, target, other) = (target, other, target)
      if p >> bit & 1 == 1 {
        multiply(power, a, into: target)
        (power, target, other) = (target, other, target)
      }
    }
    return (power, target)
  }
}

/// max |A − I|; NaN if an element is.
@specialized(where S == Float) @specialized(where S == Double)
func distanceFromIdentity<S: KernelScalar>(_ a: MutableMatrixPointer<S>) -> S {
  var largest: S = 0
  for i in 0..<a.rows {
    for j in 0..<a.columns {
      let distance = abs(a[i, j] - (i == j ? 1 : 0))
      if distance.isNaN { return .nan }
      largest = max(largest, distance)
    }
  }
  return largest
}
