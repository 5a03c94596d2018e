import FisherLinearAlgebra
import FisherRuntime

extension MatrixPointer {
  /// The same elements, contiguous, in rows of another length.
  @inline(__always)
  func reshaped(columns: Int) -> MatrixPointer<Scalar> {
    MatrixPointer(
      base, rows: rows * self.columns / columns, columns: columns, rowStride: columns, columnStride: 1)
  }

  /// The same memory to a routine that takes a writable pointer and does not write.
  var mutable: MutableMatrixPointer<Scalar> {
    MutableMatrixPointer(
      UnsafeMutablePointer(mutating: base), rows: rows, columns: columns, rowStride: rowStride,
      columnStride: columnStride)
  }
}

extension MutableMatrixPointer {
  /// The same elements, contiguous, in rows of another length.
  @inline(__always)
  func reshaped(columns: Int) -> MutableMatrixPointer<Scalar> {
    MutableMatrixPointer(
      base, rows: rows * self.columns / columns, columns: columns, rowStride: columns, columnStride: 1)
  }

  /// Every element of contiguous rows becomes `value`.
  func fill(_ value: Scalar) { base.update(repeating: value, count: rows * columns) }
}

/// Elementwise work cut into stretches that fit the first-level cache.
enum Stretches {
  static var length: Int { 4096 }

  @inline(__always)
  static func perform(_ count: Int, threads: Int, _ task: (Range<Int>) -> Void) {
    let tasks = (count + length - 1) / length
    Parallel.perform(tasks, threads: tasks < 8 ? 1 : threads) { i in
      task(i * length..<min(count, (i + 1) * length))
    }
  }
}

/// y ← x, or y ← y + x if `adds`.
@specialized(where S == Float) @specialized(where S == Double)
func accumulate<S: KernelScalar>(
  _ x: UnsafePointer<S>, into y: UnsafeMutablePointer<S>, count: Int, adds: Bool
) {
  if adds {
    for i in 0..<count { y[i] += x[i] }
  } else {
    y.update(from: x, count: count)
  }
}
