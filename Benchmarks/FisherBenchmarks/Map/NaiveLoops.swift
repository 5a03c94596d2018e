import FisherLinearAlgebra

/// A product as anyone would write it: three loops over row-major arrays without gaps, compiled with `-O` for any
/// processor of the architecture.
enum NaiveLoops {
  /// C ← A·B with rows of B in the innermost loop, which the compiler turns into SIMD.
  @inline(never) @specialized(where S == Float) @specialized(where S == Double)
  static func byRows<S: KernelScalar>(_ s: Shape, _ a: Operand<S>, _ b: Operand<S>, _ c: Operand<S>) {
    for i in 0..<s.m {
      let row = c.base + i * s.n
      for j in 0..<s.n { row[j] = 0 }
      for l in 0..<s.k {
        let factor = a.base[i * s.k + l]
        let other = b.base + l * s.n
        for j in 0..<s.n { row[j] += factor * other[j] }
      }
    }
  }

  /// C ← A·B with one dot product after the other, the better order where rows of B are short.
  @inline(never) @specialized(where S == Float) @specialized(where S == Double)
  static func byDots<S: KernelScalar>(_ s: Shape, _ a: Operand<S>, _ b: Operand<S>, _ c: Operand<S>) {
    for i in 0..<s.m {
      for j in 0..<s.n {
        var sum: S = 0
        for l in 0..<s.k { sum += a.base[i * s.k + l] * b.base[l * s.n + j] }
        c.base[i * s.n + j] = sum
      }
    }
  }
}
