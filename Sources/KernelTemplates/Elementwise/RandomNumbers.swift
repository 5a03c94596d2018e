public import FisherRuntime

// Random numbers are defined without roundings that depend on the machine (NormalNumbers.swift of FisherRuntime): a kernel
// module compiles the same text for wider registers.

extension VectorUnit where Vector: SIMD, Vector.Scalar == Scalar, Scalar: BinaryFloatingPoint & SIMDScalar {
  /// x ← scale·(normal numbers of a range of the stream), the product rounded to the element type.
  @_alwaysEmitIntoClient
  public static func normals(
    of stream: RandomStream, _ range: Range<Int>, times scale: Double, to x: UnsafeMutablePointer<Scalar>
  ) {
    let count = range.count
    var i = 0
    while i &+ 4 <= count {
      let numbers = scale * stream.vectors(of: range.lowerBound &+ i)
      for lane in 0..<4 { x[i &+ lane] = Scalar(numbers[lane]) }
      i &+= 4
    }
    if i == count { return }
    let numbers = scale * stream.vectors(of: range.lowerBound &+ i)
    for lane in 0..<count &- i { x[i &+ lane] = Scalar(numbers[lane]) }
  }
}
