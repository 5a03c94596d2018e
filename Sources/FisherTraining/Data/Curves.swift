import Foundation

/// Drawings of smooth curves through three random points, 28 × 28 pixels: the classic problem for deep autoencoders
/// (Hinton & Salakhutdinov, Science 2006; Martens, ICML 2010). Each drawing follows from six numbers.
public enum Curves {
  static let side = 28

  /// Drawings to be reproduced by an autoencoder.
  public static func split(train: Int = 20_000, test: Int = 10_000, seed: UInt64 = 1) -> DataSplit {
    DataSplit(
      train: drawings(count: train, seed: seed, from: 0),
      test: drawings(count: test, seed: seed, from: train))
  }

  private static func drawings(count: Int, seed: UInt64, from first: Int) -> Dataset {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(count * side * side)
    for i in first..<first + count {
      var generator = KeyedGenerator(seed, Purpose.drawing, UInt64(i))
      let points = (0..<3).map { _ in (x: 3 + 22 * generator.unit(), y: 3 + 22 * generator.unit()) }
      pixels += drawing(through: points).map { UInt8((255 * $0).rounded()) }
    }
    return Dataset(
      name: "curves", shape: ExampleShape(channels: 1, height: side, width: side),
      storage: .bytes(pixels, scale: 1 / 255), targets: .inputs)
  }

  /// A stroke with soft edges along the parabola through three points, at the times 0, ½ and 1.
  package static func drawing(through p: [(x: Double, y: Double)]) -> [Double] {
    var image = [Double](repeating: 0, count: side * side)
    let dots = 64
    for dot in 0...dots {
      let t = Double(dot) / Double(dots)
      // Lagrange's weights of the three points.
      let (a, b, c) = ((1 - t) * (1 - 2 * t), 4 * t * (1 - t), t * (2 * t - 1))
      let x = a * p[0].x + b * p[1].x + c * p[2].x
      let y = a * p[0].y + b * p[1].y + c * p[2].y
      for row in max(0, Int(y) - 2)...min(side - 1, max(0, Int(y) + 2)) where Int(y) - 2 < side {
        for column in max(0, Int(x) - 2)...min(side - 1, max(0, Int(x) + 2)) where Int(x) - 2 < side {
          let (dx, dy) = (Double(column) - x, Double(row) - y)
          let ink = exp(-(dx * dx + dy * dy) / 1.2)
          image[row * side + column] = max(image[row * side + column], ink)
        }
      }
    }
    return image
  }
}
