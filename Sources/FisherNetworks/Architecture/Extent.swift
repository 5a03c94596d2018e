/// How far something goes down and across an image. A number alone is for both: `stride: 2`.
public struct Extent: Sendable, Hashable, CustomStringConvertible, ExpressibleByIntegerLiteral {
  /// Down.
  public let height: Int
  /// Across.
  public let width: Int

  public init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  public init(integerLiteral both: Int) { self.init(height: both, width: both) }

  /// `3×5`
  public var description: String { "\(height)×\(width)" }
}
