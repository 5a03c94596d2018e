import FisherLinearAlgebra

/// x if x > 0, else slope·x: the activations that a product can end with. 1 is the identity, 0 is ReLU.
///
/// With a slope ≥ 0 the output has the sign of the pre-activation, so it tells the derivative.
struct Rectifier<Scalar: KernelScalar>: Sendable {
  var slope: Scalar

  static var none: Rectifier { Rectifier(slope: 1) }

  var activation: Activation<Scalar> {
    switch slope {
    case 1: .identity
    case 0: .relu
    default: .leakyRelu(slope: slope)
    }
  }

  /// Columns of a task.
  private static var taskWidth: Int { 128 }
  /// Rows that are added up before they are added to the total: the rounding error grows with the square root.
  private static var stretch: Int { 64 }

  /// δ ← δ ⊙ activation′(y), and the sums of δ's columns. Bits do not depend on the threads.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  func gradient(
    _ δ: MutableMatrixPointer<Scalar>, output y: MatrixPointer<Scalar>,
    sums: UnsafeMutablePointer<Scalar>?, threads: Int
  ) {
    let slope = slope
    if slope == 1 && sums == nil { return }
    let tasks = (δ.columns + Self.taskWidth - 1) / Self.taskWidth
    Parallel.perform(tasks, threads: δ.rows * δ.columns < 32768 ? 1 : threads) { task in
      let first = task * Self.taskWidth
      let end = min(δ.columns, first + Self.taskWidth)
      var j = first
      while j + 32 <= end {
        Self.columns(
          δ.block(0, j, rows: δ.rows, columns: 32), y.base + j, slope, sums.map { $0 + j },
          SIMD32<Scalar>.self)
        j += 32
      }
      while j < end {
        Self.columns(
          δ.block(0, j, rows: δ.rows, columns: 1), y.base + j, slope, sums.map { $0 + j }, SIMD2<Scalar>.self)
        j += 1
      }
    }
  }

  /// As many columns as δ has: 32, or one in a vector that is wider than needed.
  @inline(__always)
  private static func columns<V: SIMD<Scalar>>(
    _ δ: MutableMatrixPointer<Scalar>, _ y: UnsafePointer<Scalar>, _ slope: Scalar,
    _ sums: UnsafeMutablePointer<Scalar>?, _: V.Type
  ) {
    let isOne = δ.columns == 1
    var total = V()
    var i = 0
    while i < δ.rows {
      let end = min(δ.rows, i + stretch)
      var sum = V()
      while i < end {
        let place = δ.base + i * δ.rowStride
        var v: V = isOne ? V(repeating: place[0]) : UnsafeRawPointer(place).loadUnaligned(as: V.self)
        if slope != 1 {
          let output = y + i * δ.rowStride
          let o: V = isOne ? V(repeating: output[0]) : UnsafeRawPointer(output).loadUnaligned(as: V.self)
          v = (v * slope).replacing(with: v, where: o .> 0)
          if isOne { place[0] = v[0] } else { UnsafeMutableRawPointer(place).storeBytes(of: v, as: V.self) }
        }
        sum += v
        i += 1
      }
      total += sum
    }
    if let sums {
      for c in 0..<δ.columns { sums[c] = total[c] }
    }
  }
}
