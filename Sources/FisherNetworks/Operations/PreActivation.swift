import FisherLinearAlgebra

/// x if x > 0, else slope·x: the activations that a product can end with. 1 is the identity, 0 is ReLU.
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
}

/// From the gradient of a layer's output to that of its pre-activations, where the activation is fused.
///
/// ReLU and leaky ReLU with a positive slope keep the sign, so the output tells their derivative.
enum PreActivation {
  /// Columns of a task.
  private static var taskWidth: Int { 128 }
  /// Rows that are added up before they are added to the total: the rounding error grows with the square root.
  private static var stretch: Int { 64 }

  /// δ ← δ ⊙ activation′(y), and the sums of δ's columns. Bits do not depend on the threads.
  @specialized(where S == Float) @specialized(where S == Double)
  static func gradient<S: KernelScalar>(
    _ δ: MutableMatrixPointer<S>, output y: MatrixPointer<S>, _ rectifier: Rectifier<S>,
    sums: UnsafeMutablePointer<S>?, threads: Int
  ) {
    let slope = rectifier.slope
    if slope == 1 && sums == nil { return }
    let tasks = (δ.columns + taskWidth - 1) / taskWidth
    Parallel.perform(tasks, threads: δ.rows * δ.columns < 32768 ? 1 : threads) { task in
      let first = task * taskWidth
      for j in stride(from: first, to: min(δ.columns, first + taskWidth), by: 32) {
        let width = min(32, δ.columns - j)
        if width == 32 {
          column(
            δ.block(0, j, rows: δ.rows, columns: 32), y.base + j, slope, sums.map { $0 + j }, SIMD32<S>.self)
        } else {
          for c in j..<j + width {
            column(
              δ.block(0, c, rows: δ.rows, columns: 1), y.base + c, slope, sums.map { $0 + c }, SIMD2<S>.self)
          }
        }
      }
    }
  }

  /// As many columns as δ has: 32, or one in a vector that is wider than needed.
  @inline(__always)
  private static func column<S: KernelScalar, V: SIMD<S>>(
    _ δ: MutableMatrixPointer<S>, _ y: UnsafePointer<S>, _ slope: S, _ sums: UnsafeMutablePointer<S>?,
    _: V.Type
  ) {
    var total = V()
    var i = 0
    while i < δ.rows {
      let end = min(δ.rows, i + stretch)
      var sum = V()
      while i < end {
        let place = δ.base + i * δ.rowStride
        var v: V = δ.columns == 1 ? V(repeating: place[0]) : UnsafeRawPointer(place).loadUnaligned(as: V.self)
        if slope != 1 {
          let output = y + i * δ.rowStride
          let o: V =
            δ.columns == 1 ? V(repeating: output[0]) : UnsafeRawPointer(output).loadUnaligned(as: V.self)
          v = (v * slope).replacing(with: v, where: o .> 0)
          if δ.columns == 1 {
            place[0] = v[0]
          } else {
            UnsafeMutableRawPointer(place).storeBytes(of: v, as: V.self)
          }
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
