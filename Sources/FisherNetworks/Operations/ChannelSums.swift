import FisherLinearAlgebra
import FisherRuntime

/// Sums over the elements of one channel of a batch: for each sample, `area` neighbouring elements.
struct ChannelElements {
  let samples: Int
  let area: Int
  /// From a sample to the next.
  let stride: Int

  /// Σ term(i) over the offsets i of all elements. Vectors of eight are summed sample by sample in the element type,
  /// samples in double precision.
  @inline(__always)
  func sum<S: KernelScalar>(_: S.Type, _ terms: (Int) -> Lanes<S>, _ term: (Int) -> S) -> Double {
    var total = 0.0
    for sample in 0..<samples {
      let start = sample * stride
      var (sum, i) = (Lanes<S>.zero, 0)
      while i + 8 <= area {
        sum += terms(start + i)
        i += 8
      }
      if area >= 8 { total += Double(pairwiseSum(sum)) }
      while i < area {
        total += Double(term(start + i))
        i += 1
      }
    }
    return total
  }

  /// Σ x[i]² in double precision.
  @inline(__always)
  func squares<S: KernelScalar>(_ x: UnsafePointer<S>) -> Double {
    var total = 0.0
    for sample in 0..<samples {
      let start = sample * stride
      var (sum, i) = (Lanes<Double>.zero, 0)
      while i + 8 <= area {
        let v = widened(load(x + start + i))
        sum += v * v
        i += 8
      }
      for lane in 0..<8 { total += sum[lane] }
      while i < area {
        total += Double(x[start + i]) * Double(x[start + i])
        i += 1
      }
    }
    return total
  }

  /// Calls `body` for the offset of each sample's run of elements.
  @inline(__always)
  func forEachRun(_ body: (Int) -> Void) {
    for sample in 0..<samples { body(sample * stride) }
  }
}

extension Rectifier {
  /// δ ← δ ⊙ activation′(y) for images, and the sums of δ over each channel.
  func gradient(
    _ δ: MutableMatrixPointer<Scalar>, output y: MatrixPointer<Scalar>, channels: Int,
    sums: UnsafeMutablePointer<Scalar>?, on backend: any Backend, threads: Int
  ) {
    gradient(δ, output: y, sums: nil, on: backend, threads: threads)
    guard let sums else { return }
    let area = δ.columns / channels
    let elements = ChannelElements(samples: δ.rows, area: area, stride: δ.columns)
    Parallel.perform(channels, threads: Parallel.elementwise(δ.rows * δ.columns, threads: threads)) {
      channel in
      sums[channel] = Scalar(Self.sum(δ.base + channel * area, elements))
    }
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private static func sum(_ δ: UnsafePointer<Scalar>, _ elements: ChannelElements) -> Double {
    elements.sum(Scalar.self) { i in
      load(δ + i)
    } _: { i in
      δ[i]
    }
  }
}
