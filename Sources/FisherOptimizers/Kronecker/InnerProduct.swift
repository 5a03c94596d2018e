import FisherLinearAlgebra
import FisherRuntime

/// Σᵢⱼ xᵢⱼ·yᵢⱼ in double precision, row by row: it cannot overflow in `Float`, and its bits do not depend on the threads.
@specialized(where S == Float) @specialized(where S == Double)
package func innerProduct<S: KernelScalar>(_ x: Matrix<S>, _ y: Matrix<S>, threads: Int) -> Double {
  require(
    x.rows == y.rows && x.columns == y.columns,
    "innerProduct: x is \(x.rows)×\(x.columns) and y is \(y.rows)×\(y.columns)")
  let (x, y) = (x.compacted(), y.compacted())
  let width = x.columns
  var sums = [Double](repeating: 0, count: x.rows)
  sums.withUnsafeMutableBufferPointer { sums in
    // Each task writes its own element.
    nonisolated(unsafe) let sums = sums
    x.withPointer { x in
      y.withPointer { y in
        Parallel.perform(sums.count, threads: Parallel.elementwise(sums.count * width, threads: threads)) {
          i in
          sums[i] = rowProduct(x.base + i * width, y.base + i * width, width)
        }
      }
    }
  }
  return sums.reduce(0, +)
}

/// Four sums at a time, so that no addition waits for the one before.
@inline(__always)
private func rowProduct<S: KernelScalar>(
  _ x: UnsafePointer<S>, _ y: UnsafePointer<S>, _ count: Int
) -> Double {
  var sums = (0.0, 0.0, 0.0, 0.0)
  var j = 0
  while j &+ 4 <= count {
    sums.0 += Double(x[j]) * Double(y[j])
    sums.1 += Double(x[j &+ 1]) * Double(y[j &+ 1])
    sums.2 += Double(x[j &+ 2]) * Double(y[j &+ 2])
    sums.3 += Double(x[j &+ 3]) * Double(y[j &+ 3])
    j &+= 4
  }
  while j < count {
    sums.0 += Double(x[j]) * Double(y[j])
    j &+= 1
  }
  return (sums.0 + sums.1) + (sums.2 + sums.3)
}
