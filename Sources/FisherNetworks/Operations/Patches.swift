import FisherCurvature
import FisherLinearAlgebra

/// The inputs that the output positions of a convolution see, as columns: row (c, v, u), column (y, x) holds
/// image[c, y·stride + v·dilation − padding, x·strideAcross + u·dilation − paddingAcross], 0 outside.
struct Patches: Sendable {
  let geometry: ConvolutionGeometry

  /// A patch is a pixel: the patches are the image.
  var isImage: Bool {
    geometry.kernelHeight == 1 && geometry.kernelWidth == 1
      && max(geometry.stride, geometry.strideAcross) == 1
      && max(geometry.padding, geometry.paddingAcross) == 0
  }

  /// Writes the patches of one image's channels of one group; rows are `stride` elements apart.
  @specialized(where S == Float) @specialized(where S == Double)
  func unfold<S: KernelScalar>(_ image: UnsafePointer<S>, to target: UnsafeMutablePointer<S>, stride: Int) {
    forEachRow { row, plane, y, source, first, last, offset in
      let line = target + (row * stride + y * geometry.outputWidth)
      guard let source else { return line.update(repeating: 0, count: geometry.outputWidth) }
      let pixels = image + (plane + source * geometry.width)
      for x in 0..<first { line[x] = 0 }
      if geometry.strideAcross == 1 {
        for x in first..<last { line[x] = pixels[x + offset] }
      } else {
        for x in first..<last { line[x] = pixels[x * geometry.strideAcross + offset] }
      }
      for x in last..<geometry.outputWidth { line[x] = 0 }
    }
  }

  /// Adds patches to the pixels that they came from: the transpose of ``unfold(_:to:stride:)``.
  @specialized(where S == Float) @specialized(where S == Double)
  func fold<S: KernelScalar>(_ patches: UnsafePointer<S>, stride: Int, into image: UnsafeMutablePointer<S>) {
    forEachRow { row, plane, y, source, first, last, offset in
      guard let source else { return }
      let line = patches + (row * stride + y * geometry.outputWidth)
      let pixels = image + (plane + source * geometry.width)
      if geometry.strideAcross == 1 {
        for x in first..<last { pixels[x + offset] += line[x] }
      } else {
        for x in first..<last { pixels[x * geometry.strideAcross + offset] += line[x] }
      }
    }
  }

  /// Visits every line of output positions in every row of patches: the row, where its channel starts in the image, y,
  /// the image's line (nil outside), the range of x inside the image, and the pixel of x = 0.
  @inline(__always)
  private func forEachRow(
    _ body: (
      _ row: Int, _ plane: Int, _ y: Int, _ source: Int?, _ first: Int, _ last: Int, _ offset: Int
    ) -> Void
  ) {
    let g = geometry
    var row = 0
    for c in 0..<g.channels / g.groups {
      for v in 0..<g.kernelHeight {
        for u in 0..<g.kernelWidth {
          let offset = u * g.dilation - g.paddingAcross
          // 0 ≤ x·stride + offset < width
          let first = min(g.outputWidth, offset >= 0 ? 0 : (-offset + g.strideAcross - 1) / g.strideAcross)
          let last = max(first, min(g.outputWidth, (g.width - offset + g.strideAcross - 1) / g.strideAcross))
          for y in 0..<g.outputHeight {
            let source = y * g.stride + v * g.dilation - g.padding
            let isInside = source >= 0 && source < g.height
            body(row, c * g.height * g.width, y, isInside ? source : nil, first, last, offset)
          }
          row += 1
        }
      }
    }
  }
}
