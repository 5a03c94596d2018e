import FisherLinearAlgebra
import FisherRuntime

/// The axes of one sample: features, positions × features, or channels × height × width.
///
/// In memory a sample is one row of a matrix, the last axis fastest.
public struct SampleShape: Sendable, Hashable, CustomStringConvertible, ExpressibleByArrayLiteral {
  public let axes: [Int]

  /// - Precondition: one to three positive axes.
  public init(_ axes: [Int]) {
    require(
      (1...3).contains(axes.count) && axes.allSatisfy { $0 >= 1 },
      "SampleShape: \(axes) is no shape of a sample")
    self.axes = axes
  }

  public init(arrayLiteral axes: Int...) { self.init(axes) }

  /// The numbers of a sample.
  public var count: Int { axes.reduce(1, *) }

  /// It has channels, a height and a width.
  public var isImage: Bool { axes.count == 3 }

  /// The rows of a sample for a layer that works on its last axis: tokens, or 1.
  public var positions: Int { axes.count == 2 ? axes[0] : 1 }

  /// The last axis of a sample that is no image.
  public var features: Int { axes.last ?? 0 }

  /// `3×32×32`
  public var description: String { axes.map(String.init).joined(separator: "×") }
}
