import FisherLinearAlgebra
import FisherRuntime

/// The sizes of a two-dimensional convolution with zero padding.
public struct ConvolutionGeometry: Sendable, Hashable {
  public let channels: Int
  public let height: Int
  public let width: Int
  /// The output channels.
  public let outputs: Int
  public let kernelHeight: Int
  public let kernelWidth: Int
  /// Down, from one output position to the next.
  public let stride: Int
  /// Across; as down unless said otherwise.
  public let strideAcross: Int
  /// Rows of zeros above and below.
  public let padding: Int
  /// Columns of zeros on the left and on the right; as above and below unless said otherwise.
  public let paddingAcross: Int
  public let dilation: Int
  public let groups: Int

  /// - Precondition: sizes are positive, `groups` divides the channels and outputs, and the output has a position.
  public init(
    channels: Int, height: Int, width: Int, outputs: Int, kernelHeight: Int, kernelWidth: Int,
    stride: Int = 1,
    padding: Int = 0, dilation: Int = 1, groups: Int = 1, strideAcross: Int? = nil, paddingAcross: Int? = nil
  ) {
    self.channels = channels
    self.height = height
    self.width = width
    self.outputs = outputs
    self.kernelHeight = kernelHeight
    self.kernelWidth = kernelWidth
    self.stride = stride
    self.padding = padding
    self.strideAcross = strideAcross ?? stride
    self.paddingAcross = paddingAcross ?? padding
    self.dilation = dilation
    self.groups = groups
    require(
      min(channels, height, width, outputs, kernelHeight, kernelWidth) >= 1
        && min(stride, self.strideAcross, dilation, groups) >= 1 && min(padding, self.paddingAcross) >= 0,
      "ConvolutionGeometry: \(self) has a size below its least")
    require(
      channels % groups == 0 && outputs % groups == 0,
      "ConvolutionGeometry: \(groups) groups do not divide \(channels) channels and \(outputs) outputs")
    require(
      outputHeight >= 1 && outputWidth >= 1,
      "ConvolutionGeometry: a kernel of \(kernelHeight)×\(kernelWidth), dilated by \(dilation), does not fit into "
        + "\(height)×\(width) with padding \(padding)×\(self.paddingAcross)")
  }

  public var outputHeight: Int { (height + 2 * padding - dilation * (kernelHeight - 1) - 1) / stride + 1 }
  public var outputWidth: Int {
    (width + 2 * paddingAcross - dilation * (kernelWidth - 1) - 1) / strideAcross + 1
  }

  /// The output positions.
  public var positions: Int { outputHeight * outputWidth }

  /// The inputs that an output sees: channels of its group × taps, in the memory order of a row of the weight.
  public var patchSize: Int { channels / groups * kernelHeight * kernelWidth }
}
