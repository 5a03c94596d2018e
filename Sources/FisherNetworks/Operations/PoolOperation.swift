import FisherCurvature
import FisherLinearAlgebra
import FisherRuntime

/// The largest element or the mean of every window of an image, channel by channel.
///
/// As in PyTorch, padding counts as −∞ for the maximum and as zeros for the mean. The first of several largest elements
/// gets the gradient; NaN is larger than anything.
struct PoolOperation<Scalar: KernelScalar>: Operation {
  enum Reduction: Sendable { case maximum, mean }

  let reduction: Reduction
  /// Channels equal outputs.
  let geometry: ConvolutionGeometry

  func forward(_ call: NodeCall<Scalar>) { reduce(call.input, values: call.input, call.output, call) }

  /// A tangent goes where the value came from.
  func pushForward(_ call: NodeCall<Scalar>) {
    guard let tangent = call.inputTangent else { return call.outputTangent.fill(0) }
    reduce(call.input, values: tangent, call.outputTangent, call)
  }

  func backward(_ call: NodeCall<Scalar>) {
    guard let target = call.inputGradient else { return }
    let size = geometry.height * geometry.width
    perform(call) { sample, channel in
      let plane = channel * size
      let image = target.base + (sample * target.rowStride + plane)
      if !call.addsInputGradient { image.update(repeating: 0, count: size) }
      Self.spread(
        reduction, geometry, call.input.base + (sample * call.input.rowStride + plane),
        UnsafePointer(call.outputGradient.base)
          + (sample * call.outputGradient.rowStride + channel * geometry.positions), image)
    }
  }

  private func reduce(
    _ x: MatrixPointer<Scalar>, values: MatrixPointer<Scalar>, _ y: MutableMatrixPointer<Scalar>,
    _ call: NodeCall<Scalar>
  ) {
    let size = geometry.height * geometry.width
    perform(call) { sample, channel in
      Self.reduce(
        reduction, geometry, x.base + (sample * x.rowStride + channel * size),
        values.base + (sample * values.rowStride + channel * size),
        y.base + (sample * y.rowStride + channel * geometry.positions))
    }
  }

  private func perform(_ call: NodeCall<Scalar>, _ body: (_ sample: Int, _ channel: Int) -> Void) {
    let isSmall = call.input.rows * call.input.columns < 16384
    Parallel.perform(call.samples, threads: isSmall ? 1 : call.threads) { sample in
      for channel in 0..<geometry.channels { body(sample, channel) }
    }
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private static func reduce(
    _ reduction: Reduction, _ g: ConvolutionGeometry, _ x: UnsafePointer<Scalar>,
    _ values: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>
  ) {
    forEachWindow(g) { position, rows, columns in
      switch reduction {
      case .maximum: y[position] = values[argmax(x, rows, columns, g.width)]
      case .mean:
        var sum: Scalar = 0
        for i in rows {
          for j in columns { sum += values[i * g.width + j] }
        }
        y[position] = sum / Scalar(g.kernelHeight * g.kernelWidth)
      }
    }
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private static func spread(
    _ reduction: Reduction, _ g: ConvolutionGeometry, _ x: UnsafePointer<Scalar>,
    _ dy: UnsafePointer<Scalar>, _ dx: UnsafeMutablePointer<Scalar>
  ) {
    forEachWindow(g) { position, rows, columns in
      switch reduction {
      case .maximum: dx[argmax(x, rows, columns, g.width)] += dy[position]
      case .mean:
        let share = dy[position] / Scalar(g.kernelHeight * g.kernelWidth)
        for i in rows {
          for j in columns { dx[i * g.width + j] += share }
        }
      }
    }
  }

  @inline(__always)
  private static func argmax(
    _ x: UnsafePointer<Scalar>, _ rows: Range<Int>, _ columns: Range<Int>, _ width: Int
  ) -> Int {
    var best = rows.lowerBound * width + columns.lowerBound
    for i in rows {
      for j in columns {
        let at = i * width + j
        if x[at] > x[best] || (x[at].isNaN && !x[best].isNaN) { best = at }
      }
    }
    return best
  }

  /// The part of each window that lies in the image.
  @inline(__always)
  private static func forEachWindow(
    _ g: ConvolutionGeometry, _ body: (_ position: Int, _ rows: Range<Int>, _ columns: Range<Int>) -> Void
  ) {
    for y in 0..<g.outputHeight {
      let top = y * g.stride - g.padding
      for x in 0..<g.outputWidth {
        let left = x * g.strideAcross - g.paddingAcross
        body(
          y * g.outputWidth + x, max(0, top)..<min(g.height, top + g.kernelHeight),
          max(0, left)..<min(g.width, left + g.kernelWidth))
      }
    }
  }
}
