import FisherLinearAlgebra
import FisherOptimizers

/// A side of a parameter's matrix that has a factor Q.
struct Axis {
  let owner: String
  let isLeft: Bool
  let size: Int
  /// Upper triangular; else diagonal, and stored as a row.
  let isTriangular: Bool

  var slot: String { isLeft ? "Q1" : "Q2" }

  /// Sides of one element have nothing to whiten, unless both have one.
  static func axes(of parameter: ParameterInfo, longest: Int) -> [Axis] {
    if parameter.count == 0 { return [] }
    let sides = [
      Axis(
        owner: parameter.name, isLeft: true, size: parameter.rows,
        isTriangular: parameter.shape.count > 1 && parameter.rows <= longest),
      Axis(
        owner: parameter.name, isLeft: false, size: parameter.columns,
        isTriangular: parameter.shape.count > 1 && parameter.columns <= longest),
    ]
    let long = sides.filter { $0.size > 1 }
    return long.isEmpty ? [sides[1]] : long
  }

  /// Q as this step has it; nil before it was started.
  func factor<S: KernelScalar>(in step: borrowing Step<S>) -> AxisFactor<S>? {
    step.latest(slot, of: owner).map { AxisFactor(axis: self, Q: $0) }
  }
}

/// Q of an axis, and what is done with it on a matrix: from the left as Q·X, from the right as X·Qᵀ.
struct AxisFactor<S: KernelScalar> {
  let axis: Axis
  let Q: Matrix<S>

  private var side: Side { axis.isLeft ? .left : .right }

  /// What stands on that side of X for Q or Qᵀ, and which half of it is read.
  private func operand(transposed: Bool) -> (Matrix<S>, Triangle) {
    axis.isLeft == transposed ? (Q.transposed, .lower) : (Q, .upper)
  }

  /// X ← Q·X, or Qᵀ·X; X·Qᵀ or X·Q on the right. m²·n flops on a side of m.
  func multiply(_ X: inout Matrix<S>, transposed: Bool, on backend: any Backend, threads: Int) {
    if !axis.isTriangular { return scale(&X, inverse: false) }
    let (T, triangle) = operand(transposed: transposed)
    trmm(T, triangle: triangle, side: side, into: &X, on: backend, threads: threads)
  }

  /// X ← Q⁻ᵀ·X, or X·Q⁻¹ on the right. m²·n flops on a side of m.
  func solve(_ X: inout Matrix<S>, on backend: any Backend, threads: Int) {
    if !axis.isTriangular { return scale(&X, inverse: true) }
    let (T, triangle) = operand(transposed: true)
    trsm(T, triangle: triangle, side: side, into: &X, on: backend, threads: threads)
  }

  /// Rows or columns times the elements of a diagonal factor, or of its inverse.
  private func scale(_ X: inout Matrix<S>, inverse: Bool) {
    let columns = X.columns
    Q.withSpan { q in
      X.withMutableSpan { x in
        for i in x.indices {
          let q = q[axis.isLeft ? i / columns : i % columns]
          x[i] = inverse ? x[i] / q : x[i] * q
        }
      }
    }
  }
}
