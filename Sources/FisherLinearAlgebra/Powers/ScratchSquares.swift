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

extension ScratchSquares {
  /// max |A − I|; NaN if an element is.
  func distanceFromIdentity(_ a: MutableMatrixPointer<S>) -> S {
    var largest: S = 0
    for i in 0..<order {
      let row = UnsafePointer(a.base + i * a.rowStride)
      for part in [
        abs(row[i] - 1), largestMagnitude(VectorPointer(row, count: i)),
        largestMagnitude(VectorPointer(row + i + 1, count: order - i - 1)),
      ] {
        if part.isNaN { return .nan }
        largest = max(largest, part)
      }
    }
    return largest
  }

  /// max |xᵢ|; NaN if an element is, 0 if there is none.
  func largestMagnitude(_ x: VectorPointer<S>) -> S { backend.iamax(x).map { abs(x[$0]) } ?? 0 }

  /// B ← 2ᵉ·A, element by element as ``KernelScalar/scaled(byPowerOfTwo:)`` rounds; rows of B are contiguous.
  func scale(_ a: MatrixPointer<S>, byPowerOfTwo e: Int, to b: MutableMatrixPointer<S>) {
    backend.copy(a, to: b)
    let half = e / 2
    for power in [half, e - half] where power != 0 {
      let factor = S(sign: .plus, exponent: S.Exponent(power), significand: 1)
      for i in 0..<b.rows {
        backend.scal(alpha: factor, x: MutableVectorPointer(b.base + i * b.rowStride, count: b.columns))
      }
    }
  }

  /// The upper triangle ← the lower one.
  func mirror(_ a: MutableMatrixPointer<S>) { a.mirrorLower { backend.copy($0, to: $1) } }
}
