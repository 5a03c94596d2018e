import FisherRuntime

/// A random change of an image that keeps its class.
public enum Augmentation: Sendable, Hashable {
  /// Moves the image by up to so many pixels in both directions; zeros follow.
  case shift(Int)
  /// Pads the image by so many mirrored pixels and cuts out a window of the old size.
  case crop(Int)
  /// Exchanges left and right half of the time.
  case flip

  /// The most pixels that an image can be moved by.
  static let mostPixels = 1_000_000

  /// Reads `shift:1,flip,crop:2`.
  ///
  /// - Throws: ``AugmentationError``.
  public static func parse(_ text: String) throws(AugmentationError) -> [Augmentation] {
    var result: [Augmentation] = []
    for word in text.split(separator: ",", omittingEmptySubsequences: false) where word != "none" {
      do { result.append(try Augmentation(word)) } catch {
        throw AugmentationError(
          description:
            "augmentation \(quoted(word)): \(error); there are: none, flip, shift:PIXELS, crop:PIXELS")
      }
    }
    return result
  }

  private init(_ word: Substring) throws(NumberError) {
    let parts = word.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    switch (parts[0], parts.count) {
    case ("flip", 1): self = .flip
    case ("shift", 2): self = .shift(try NumberText.integer(parts[1], to: Self.mostPixels))
    case ("crop", 2): self = .crop(try NumberText.integer(parts[1], to: Self.mostPixels))
    case ("shift", _), ("crop", _): throw NumberError(description: "it needs a number of pixels")
    default: throw NumberError(description: "it is none that is known")
    }
  }

  /// Changes an image in place.
  package func apply(
    to image: UnsafeMutableBufferPointer<Float>, _ shape: ExampleShape, _ generator: inout KeyedGenerator
  ) {
    switch self {
    case .flip:
      if generator.next() & 1 == 0 { return }
      move(image, shape) { y, x in (y, shape.width - 1 - x) }
    case .shift(let limit):
      let (dy, dx) = Self.offset(limit, &generator)
      move(image, shape) { y, x in (y + dy, x + dx) }
    case .crop(let limit):
      let (dy, dx) = Self.offset(limit, &generator)
      move(image, shape) { y, x in
        (Self.mirrored(y + dy, shape.height), Self.mirrored(x + dx, shape.width))
      }
    }
  }

  private static func offset(_ limit: Int, _ generator: inout KeyedGenerator) -> (Int, Int) {
    (generator.below(2 * limit + 1) - limit, generator.below(2 * limit + 1) - limit)
  }

  /// −1 → 0, −2 → 1; n → n − 1.
  private static func mirrored(_ i: Int, _ n: Int) -> Int {
    let m = ((i % (2 * n)) + 2 * n) % (2 * n)
    return m < n ? m : 2 * n - 1 - m
  }

  /// Every pixel comes from `source`; from outside of the image comes zero.
  private func move(
    _ image: UnsafeMutableBufferPointer<Float>, _ shape: ExampleShape,
    from source: (_ y: Int, _ x: Int) -> (Int, Int)
  ) {
    let old = Array(image)
    for c in 0..<shape.channels {
      for y in 0..<shape.height {
        for x in 0..<shape.width {
          let (sy, sx) = source(y, x)
          let isInside = 0..<shape.height ~= sy && 0..<shape.width ~= sx
          image[(c * shape.height + y) * shape.width + x] =
            isInside ? old[(c * shape.height + sy) * shape.width + sx] : 0
        }
      }
    }
  }
}

/// An augmentation that cannot be read.
public struct AugmentationError: Error, Equatable, CustomStringConvertible {
  public let description: String
}
