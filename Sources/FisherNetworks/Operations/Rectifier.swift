import FisherLinearAlgebra
import FisherRuntime

/// x if x > 0, else slope·x: the activations that a product can end with. 1 is the identity, 0 is ReLU.
///
/// With a slope ≥ 0 the output has the sign of the pre-activation, so it tells the derivative.
struct Rectifier<Scalar: KernelScalar>: Sendable {
  var slope: Scalar

  static var none: Rectifier { Rectifier(slope: 1) }

  /// The rectified x; NaN stays. With a slope of 0 it is 0, not 0·x, below 0: −∞ has no NaN.
  @inline(__always)
  func callAsFunction(_ x: Scalar) -> Scalar { x <= 0 ? (slope == 0 ? 0 : slope * x) : x }

  var activation: Activation<Scalar> {
    switch slope {
    case 1: .identity
    case 0: .relu
    default: .leakyRelu(slope: slope)
    }
  }

  /// Rows that are added up before they are added to the total: the rounding error grows with the square root.
  private static var stretch: Int { 64 }

  /// δ ← δ ⊙ activation′(y), and the sums of δ's columns. Bits do not depend on the threads.
  func gradient(
    _ δ: MutableMatrixPointer<Scalar>, output y: MatrixPointer<Scalar>,
    sums: UnsafeMutablePointer<Scalar>?, on backend: any Backend, threads: Int
  ) {
    if slope == 1 && sums == nil { return }
    let (rows, columns) = (δ.rows, δ.columns)
    let stretches = (rows + Self.stretch - 1) / Self.stretch
    Scratch.with(sums == nil ? 0 : stretches * columns, of: Scalar.self) { parts in
      Parallel.perform(stretches, threads: Parallel.elementwise(rows * columns, threads: threads)) { part in
        let first = part * Self.stretch
        let count = min(Self.stretch, rows - first)
        backend.rectifyGradient(
          δ.block(first, 0, rows: count, columns: columns),
          output: y.block(first, 0, rows: count, columns: columns), slope: slope,
          sums: sums == nil ? nil : parts + part * columns)
      }
      guard let sums else { return }
      for part in 0..<stretches {
        accumulate(parts + part * columns, into: sums, count: columns, adds: part > 0)
      }
    }
  }
}
