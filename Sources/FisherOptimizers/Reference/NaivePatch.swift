package import FisherCurvature
import FisherLinearAlgebra

/// What one output position of one group of a convolution sees, tap by tap: channels, then rows, then columns of taps.
package func naivePatch(
  _ image: [Double], _ shape: ConvolutionGeometry, group: Int, position: Int
) -> [Double] {
  let perGroup = shape.channels / shape.groups
  let (oy, ox) = (position / shape.outputWidth, position % shape.outputWidth)
  var patch: [Double] = []
  for c in group * perGroup..<(group + 1) * perGroup {
    for ky in 0..<shape.kernelHeight {
      for kx in 0..<shape.kernelWidth {
        let y = oy * shape.stride + ky * shape.dilation - shape.padding
        let x = ox * shape.strideAcross + kx * shape.dilation - shape.paddingAcross
        let isInside = y >= 0 && y < shape.height && x >= 0 && x < shape.width
        patch.append(isInside ? image[(c * shape.height + y) * shape.width + x] : 0)
      }
    }
  }
  return patch
}
