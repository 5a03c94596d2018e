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
  public let stride: Int
  public let padding: Int
  public let dilation: Int
  public let groups: Int

  /// - Precondition: sizes are positive, `groups` divides the channels and outputs, and the output has a position.
  public init(
    channels: Int, height: Int, width: Int, outputs: Int, kernelHeight: Int, kernelWidth: Int,
    stride: Int = 1,
    padding: Int = 0, dilation: Int = 1, groups: Int = 1
  ) {
    self.channels = channels
    self.height = height
    self.width = width
    self.outputs = outputs
    self.kernelHeight = kernelHeight
    self.kernelWidth = kernelWidth
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
    require(
      min(channels, height, width, outputs, kernelHeight, kernelWidth) >= 1
        && min(stride, dilation, groups) >= 1 && padding >= 0,
      "ConvolutionGeometry: \(self) has a size below its least")
    require(
      channels % groups == 0 && outputs % groups == 0,
      "ConvolutionGeometry: \(groups) groups do not divide \(channels) channels and \(outputs) outputs")
    require(
      outputHeight >= 1 && outputWidth >= 1,
      "ConvolutionGeometry: a kernel of \(kernelHeight)×\(kernelWidth), dilated by \(dilation), does not fit into "
        + "\(height)×\(width) with padding \(padding)")
  }

  public var outputHeight: Int { (height + 2 * padding - dilation * (kernelHeight - 1) - 1) / stride + 1 }
  public var outputWidth: Int { (width + 2 * padding - dilation * (kernelWidth - 1) - 1) / stride + 1 }

  /// The output positions.
  public var positions: Int { outputHeight * outputWidth }

  /// The inputs that an output sees: channels of its group × taps, in the memory order of a row of the weight.
  public var patchSize: Int { channels / groups * kernelHeight * kernelWidth }
}
