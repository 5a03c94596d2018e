import FisherKit
import FisherRuntime
import Synchronization

/// Least squares with a given Hessian: x = Q·Λ^½·z with z normal, Q a rotation and Λ = diag(1 … 10^−decades), evenly on
/// a logarithmic scale. The teacher is the identity, so a linear student y = W·x + b has the loss ½‖W·x + b − x‖², whose
/// Hessian by a row of W is E[x·xᵀ] = Q·Λ·Qᵀ.
package enum SpectrumData {
  package static let width = 32
  private static let made = Mutex<[Int: DataSplit]>([:])

  static func split(decades: Int) -> DataSplit {
    made.withLock { made in
      if let data = made[decades] { return data }
      let data = make(decades: decades, train: 2048, test: 512)
      made[decades] = data
      return data
    }
  }

  package static func make(decades: Int, train: Int, test: Int) -> DataSplit {
    let stream = RandomStream(20, UInt64(decades))
    let deviations = (0..<width).map { i in
      pow(10, -0.5 * Double(decades) * Double(i) / Double(width - 1))
    }
    let axes = rotation(stream)
    func examples(_ numbers: Range<Int>) -> Dataset {
      let rows = numbers.map { n in
        let z = (0..<width).map { deviations[$0] * stream.normal((n + width) * width + $0) }
        return (0..<width).map { (i: Int) -> Float in
          var sum = 0.0
          for j in 0..<width { sum += axes[j][i] * z[j] }
          return Float(sum)
        }
      }
      return Dataset(
        name: "spectrum", shape: ExampleShape(channels: width), rows: rows,
        classes: numbers.map { _ in 0 }, classCount: 1)
    }
    return DataSplit(train: examples(0..<train), test: examples(train..<train + test)).reconstructing
  }

  /// Orthonormal rows: normal numbers, made so one after the other (Gram & Schmidt, twice for the rounding).
  private static func rotation(_ stream: RandomStream) -> [[Double]] {
    var axes: [[Double]] = []
    for i in 0..<width {
      var axis = (0..<width).map { stream.normal(i * width + $0) }
      for _ in 0..<2 {
        for other in axes {
          let along = zip(axis, other).reduce(0) { $0 + $1.0 * $1.1 }
          for j in 0..<width { axis[j] -= along * other[j] }
        }
        let length = axis.reduce(0) { $0 + $1 * $1 }.squareRoot()
        axis = axis.map { $0 / length }
      }
      axes.append(axis)
    }
    return axes
  }
}
