import Foundation

/// −u″/64 + u = f on a circle of length 1, to be solved by a network: physics-informed learning in one dimension.
///
/// A sample is a point with its neighbours at the distance h = 2⁻¹⁰, as three positions x − h, x, x + h on a grid on which
/// they are exact. The network sees cos 2πx and sin 2πx of each, so that u is periodic; behind it a fixed layer forms
/// (−u(x − h) + 2·u(x) − u(x + h))/(64h²) + u(x), and the targets are what that gives for the solution: the derivative is that of
/// the network by its input, to h²·u⁗/12, and the least loss is 0. See the model `pinn:…`.
public enum ScreenedPoisson {
  /// 2¹⁰ points around.
  static let points = 1024

  /// u = Σ a·sin(2πk·x + φ).
  private static let waves: [(k: Double, a: Double, φ: Double)] = [(1, 1, 0), (2, 0.5, 1), (3, 0.25, 2.5)]

  /// The solution at x.
  public static func solution(_ x: Double) -> Double {
    waves.reduce(0) { $0 + $1.a * sin(2 * .pi * $1.k * x + $1.φ) }
  }

  /// Every fourth point to learn from, the points in the middle between them for the test.
  public static var split: DataSplit {
    DataSplit(
      train: samples(stride(from: 0, to: points, by: 4)), test: samples(stride(from: 2, to: points, by: 4)))
  }

  private static func samples(_ numbers: StrideTo<Int>) -> Dataset {
    let h = 1 / Double(points)
    var data = Dataset(
      name: "screened-poisson", shape: ExampleShape(channels: 3),
      rows: numbers.map { i in (-1...1).map { Float(Double(i + $0) * h) } },
      values: numbers.map { i in
        // The second difference of a wave is the wave times (2·cos 2πkh − 2)/h².
        let f = waves.reduce(0) { sum, wave in
          let angle = 2 * .pi * wave.k * Double(i) * h + wave.φ
          return sum + wave.a * sin(angle) * (1 + (2 - 2 * cos(2 * .pi * wave.k * h)) / (64 * h * h))
        }
        return [Float(f)]
      })
    data.isNormalizable = false
    return data
  }
}
